module tuntap/wgtun

go 1.24

require (
	golang.zx2c4.com/wireguard v0.0.0-20250521234502-f333402bd9cb
	tuntap v0.0.0
)

replace tuntap => ../
