-- SPDX-License-Identifier: MIT
-- libtuntap through LuaJIT's FFI, which is given the installed tuntap.cdef.h as it is. Runs in a private network
-- namespace.
local ffi = require "ffi"
local library, header = ...
ffi.cdef(assert(io.open(header)):read "*a")
local tuntap = ffi.load(library)
local err = ffi.new "tuntap_error"
assert(ffi.sizeof(err) == 256)

-- Raises the library's sentence where C returns a negative errno.
local function call(name, ...)
    local arguments = {...}
    arguments[select("#", ...) + 1] = err
    local result = tuntap["tuntap_" .. name](unpack(arguments, 1, select("#", ...) + 1))
    if result < 0 then error(ffi.string(err.message), 0) end
    return tonumber(result)
end

local function ip(arguments)
    local pipe = io.popen("ip -j " .. arguments)
    return pipe:read "*a", pipe:close()
end

local handle = ffi.new "tuntap *[1]"
local opened, message = pcall(call, "open", "vpn0", 0, handle)
assert(not opened and message:find "TUNTAP_TUN" and err.reason == tuntap.TUNTAP_REASON_FLAGS, message)
call("open", "vpn0", tuntap.TUNTAP_TUN, handle)
local dev = handle[0]
local addr = ffi.new "tuntap_addr"
addr.addr = "10.8.0.1/24"
call("add_addr", dev, addr, ffi.sizeof(addr), 0)
call("set_mtu", dev, 1400)
call("up", dev)
assert(ip("address show vpn0"):find('"local":"10.8.0.1","prefixlen":24', 1, true))
assert(ip("link show vpn0"):find('"mtu":1400', 1, true))

local infos = ffi.new "tuntap_info[4]"
assert(call("list", infos, 4, ffi.sizeof "tuntap_info") == 1)
assert(ffi.string(infos[0].name) == "vpn0" and infos[0].flags == tuntap.TUNTAP_TUN)
assert(infos[0].owner == ffi.cast("uint32_t", tuntap.TUNTAP_NO_ID))

-- The kernel answers a ping that is written to the device.
local ping = ffi.new("uint8_t[28]", {
    0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0x66, 0xce, 10, 8, 0, 2, 10, 8, 0, 1, 8, 0, 0xf7, 0xfd, 0, 1, 0, 1,
})
local packet = ffi.new("uint8_t[?]", tuntap.tuntap_read_size(dev))
assert(call("write", dev, ping, 28) == 28)
repeat
    local length = call("read_timeout", dev, packet, ffi.sizeof(packet), 30000)
until length == 28 and packet[9] == 1 and packet[20] == 0
assert(packet[12] == 10 and packet[15] == 1 and packet[19] == 2)
tuntap.tuntap_close(dev)
assert(not ip("link show"):find "vpn0")
