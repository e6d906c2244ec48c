module tuntap

go 1.24
