/* SPDX-License-Identifier: MIT
 *
 * libtuntap: create, configure and drive TUN and TAP network devices.
 * Generated from src/capi by cbindgen: change it there, then run `make header`.
 *
 * Rules that hold for every function
 *
 * Errors.    A function that can fail returns 0 or a count, and a negative errno when it
 *            fails. Its last argument, `err`, may be NULL; otherwise it is filled in on
 *            failure, and left alone on success. Outputs are written on success only, and a
 *            failed call leaves the device as it was.
 * Pointers.  NULL where an object, text or output is needed is -EINVAL with
 *            TUNTAP_REASON_ARGUMENT. Nothing returned is for the caller to free().
 * Text.      Arguments are NUL-terminated. Results go to the caller's buffer, always
 *            NUL-terminated; a buffer that is too small is -ERANGE with TUNTAP_REASON_BUFFER,
 *            and the message says the size needed.
 * Threads.   Every function may be called from any thread. On one device one reader and one
 *            writer may block at the same time, and calls that configure it wait for each
 *            other, never for a packet. The exceptions are the functions that free
 *            (tuntap_close, tuntap_config_free): nothing else may use the object at that
 *            moment or later. No function is a cancellation point.
 * Privilege. Setting what is already so makes no privileged call.
 * Failure.   The library never prints, never runs another program, and keeps no global state.
 *            An internal fault, or no memory left for its own small needs, aborts the process
 *            rather than going on.
 * Namespace. A device that was moved to another network namespace is read, written and closed
 *            as before; what asks about it or configures it returns -EXDEV with
 *            TUNTAP_REASON_NAMESPACE.
 * Fork.      After fork(), only one of the two processes may use a handle for more than
 *            tuntap_read, tuntap_write, tuntap_get_fd and tuntap_close.
 *
 * Where a comment says nothing about the kernel, Linux 4.19 is enough.
 */


#ifndef TUNTAP_H
#define TUNTAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** An open device, through one of its queues. */
typedef struct tuntap tuntap;

/** Options of tuntap_open_config. */
typedef struct tuntap_config tuntap_config;

/**
 * The version of the header that a program is compiled with; tuntap_version tells which
 * library runs.
 */
#define TUNTAP_VERSION_MAJOR 0

/**
 * Goes up with every addition to the ABI.
 */
#define TUNTAP_VERSION_MINOR 1

/**
 * Goes up with every other release.
 */
#define TUNTAP_VERSION_PATCH 0

/**
 * TUN devices: they carry IP packets.
 */
#define TUNTAP_FEATURE_TUN 1

/**
 * TAP devices: they carry Ethernet frames.
 */
#define TUNTAP_FEATURE_TAP 2

/**
 * The packet-information header, TUNTAP_PI.
 */
#define TUNTAP_FEATURE_PI 3

/**
 * Several queues a device, TUNTAP_MULTI_QUEUE.
 */
#define TUNTAP_FEATURE_MULTI_QUEUE 4

/**
 * Devices that outlive their last handle, TUNTAP_PERSIST.
 */
#define TUNTAP_FEATURE_PERSIST 5

/**
 * Devices that a user or a group may open without privilege.
 */
#define TUNTAP_FEATURE_OWNER 6

/**
 * IPv4 addresses.
 */
#define TUNTAP_FEATURE_IPV4 7

/**
 * No error.
 */
#define TUNTAP_REASON_NONE 0

/**
 * An argument is NULL, or not one of those allowed.
 */
#define TUNTAP_REASON_ARGUMENT 1

/**
 * The flags are unknown or contradict each other.
 */
#define TUNTAP_REASON_FLAGS 2

/**
 * Not a valid device name.
 */
#define TUNTAP_REASON_NAME 3

/**
 * Not a usable address.
 */
#define TUNTAP_REASON_ADDRESS 4

/**
 * A number outside of what the device takes.
 */
#define TUNTAP_REASON_RANGE 5

/**
 * The caller's buffer is too small.
 */
#define TUNTAP_REASON_BUFFER 6

/**
 * The bytes are no packet of the device's kind.
 */
#define TUNTAP_REASON_PACKET 7

/**
 * No TUN/TAP driver, or no device node.
 */
#define TUNTAP_REASON_NO_DRIVER 8

/**
 * The process lacks the right to do it.
 */
#define TUNTAP_REASON_PRIVILEGE 9

/**
 * The name is taken, or the device is in use.
 */
#define TUNTAP_REASON_BUSY 10

/**
 * The wrong kind of device: a TAP for a TUN, or neither.
 */
#define TUNTAP_REASON_KIND 11

/**
 * The device's modes are not those asked for; the message names the difference.
 */
#define TUNTAP_REASON_MISMATCH 12

/**
 * This kernel does not support it.
 */
#define TUNTAP_REASON_KERNEL 13

/**
 * This operating system does not support it.
 */
#define TUNTAP_REASON_PLATFORM 14

/**
 * The device is gone: somebody else removed it.
 */
#define TUNTAP_REASON_REMOVED 15

/**
 * The device is down.
 */
#define TUNTAP_REASON_DOWN 16

/**
 * The value asked for is not set.
 */
#define TUNTAP_REASON_UNSET 17

/**
 * Nothing to read, or no room to write, at the moment.
 */
#define TUNTAP_REASON_AGAIN 18

/**
 * A signal handler ran before anything happened.
 */
#define TUNTAP_REASON_INTERRUPTED 19

/**
 * The operating system refused for a cause of its own: the code tells.
 */
#define TUNTAP_REASON_SYSTEM 20

/**
 * The device lives in another network namespace.
 */
#define TUNTAP_REASON_NAMESPACE 21

/**
 * Bytes of the message of a tuntap_error, with its NUL.
 */
#define TUNTAP_MESSAGE_SIZE 248

/**
 * A device that carries IP packets. Exactly one of this and TUNTAP_TAP is needed.
 */
#define TUNTAP_TUN 1

/**
 * A device that carries Ethernet frames.
 */
#define TUNTAP_TAP 2

/**
 * Each packet is preceded by 4 bytes of packet information: 2 of flags in the machine's byte
 * order, of which 1 means "cut", and the 2 of the EtherType in network byte order (0x0800
 * IPv4, 0x86dd IPv6).
 */
#define TUNTAP_PI 4

/**
 * The device can have several queues, each a handle of its own: see tuntap_open_queue.
 */
#define TUNTAP_MULTI_QUEUE 8

/**
 * Fail with TUNTAP_REASON_BUSY when a device of this name exists, instead of attaching to it.
 */
#define TUNTAP_EXCLUSIVE 16

/**
 * tuntap_read and tuntap_write return -EAGAIN instead of waiting.
 */
#define TUNTAP_NONBLOCK 32

/**
 * The device outlives its last handle, until tuntap_set_persist(dev, 0) or `ip link delete`.
 * Where configuring it may fail, tuntap_set_persist as the last step leaves nothing half made
 * behind.
 */
#define TUNTAP_PERSIST 64

/**
 * Bytes of a buffer that holds any device name, with its NUL.
 */
#define TUNTAP_NAME_SIZE 16

/**
 * Bytes of a buffer that holds any address as text, of any family and with its prefix, with
 * its NUL.
 */
#define TUNTAP_ADDR_SIZE 64

/**
 * Bytes of a MAC address.
 */
#define TUNTAP_MAC_SIZE 6

/**
 * Why a call failed. 256 bytes, for ever.
 */
typedef struct tuntap_error {
    /**
     * The negative errno that the call returned.
     */
    int32_t code;
    /**
     * A TUNTAP_REASON_*: what errno cannot tell.
     */
    uint32_t reason;
    /**
     * One sentence: what was tried, on what, why it failed, what to do. NUL-terminated UTF-8.
     */
    char message[TUNTAP_MESSAGE_SIZE];
} tuntap_error;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that is running, such as "0.1.0".
 *
 * @return A constant. Cannot fail. Safe in a signal handler.
 * @since 0.1.0
 */
const char *tuntap_version(void);

/**
 * Whether this library offers something on this operating system. It asks nobody: the kernel
 * may be too old, or the process not permitted, all the same; then the call that needs it says
 * so.
 *
 * @param feature  A TUNTAP_FEATURE_*.
 * @return 1 if it does; 0 if it does not, or does not know the number. Cannot fail.
 * @since 0.1.0
 */
int tuntap_has(uint32_t feature);

/**
 * A short phrase for a reason, such as "name taken or device busy".
 *
 * @param reason  A TUNTAP_REASON_*.
 * @return The phrase, a constant; for a number that this version does not know, "unknown
 *         reason".
 *         Cannot fail. Safe in a signal handler.
 * @since 0.1.0
 */
const char *tuntap_strreason(uint32_t reason);

/**
 * Makes a config without any option set. One config can serve many opens, and is not changed
 * by them.
 *
 * Unlike a device, a config is for one thread at a time.
 *
 * @param config  Receives the config; tuntap_config_free frees it.
 * @return 0, or -EINVAL (config is NULL).
 * @since 0.1.0
 */
int tuntap_config_new(tuntap_config **config, tuntap_error *err);

/**
 * Frees a config. Devices opened with it live on.
 *
 * @param config  May be NULL.
 * @since 0.1.0
 */
void tuntap_config_free(tuntap_config *config);

/**
 * The user who may open the device without privilege from now on: see tuntap_set_owner.
 *
 * @param uid  As the calling process's user namespace numbers users.
 * @return 0, or -EINVAL (config is NULL). Whether the user exists shows at open.
 * @since 0.1.0
 */
int tuntap_config_set_owner(tuntap_config *config, uint32_t uid, tuntap_error *err);

/**
 * The group whose members may open the device without privilege from now on: see
 * tuntap_set_group.
 *
 * @param gid  As the calling process's user namespace numbers groups.
 * @return 0, or -EINVAL (config is NULL). Whether the group exists shows at open.
 * @since 0.1.0
 */
int tuntap_config_set_group(tuntap_config *config, uint32_t gid, tuntap_error *err);

/**
 * The device node to open, where it is not the usual one (Linux: /dev/net/tun; Android:
 * /dev/tun).
 *
 * @param path  Copied. NULL means the usual one again.
 * @return 0, or -EINVAL (config is NULL, path is empty). Whether there is such a node shows at
 *         open.
 * @since 0.1.0
 */
int tuntap_config_set_node(tuntap_config *config, const char *path, tuntap_error *err);

/**
 * Opens a TUN or TAP device: attaches to it when it exists, makes it when it does not. A
 * device that was made here goes away with its last handle, unless it is persistent. A new
 * device is down and has no address.
 *
 * Linux: /dev/net/tun, TUNSETIFF. An existing device that nobody has open takes the TUNTAP_PI
 * that is asked for, and keeps it; one that is open keeps its own, and another is refused.
 * Descriptors are opened close-on-exec. The device belongs to the network namespace that the
 * calling thread is in, and the handle goes on acting there.
 *
 * @param name   NULL or "": the kernel chooses (tun0, tap0, ...). "vpn0": this name, of 15
 *               bytes at most, without slash, colon, white space, and not only dots. "vpn%d":
 *               the first free number.
 * @param flags  TUNTAP_TUN or TUNTAP_TAP, with any of the others.
 * @param dev    Receives the handle; tuntap_close frees it.
 * @param err    May be NULL.
 * @return 0, or
 *         -EINVAL  name (TUNTAP_REASON_NAME), flags (_FLAGS), dev is NULL (_ARGUMENT); nothing
 *                  was touched;
 *         -EINVAL  the existing device is of the other kind, or none of ours (_KIND), or has
 *                  other modes than those asked for (_MISMATCH); the message names the
 *                  difference;
 *         -EBUSY   the device is open elsewhere, or exists and TUNTAP_EXCLUSIVE was given
 *                  (_BUSY);
 *         -EPERM   making a device needs CAP_NET_ADMIN, and so does opening somebody else's
 *                  (_PRIVILEGE);
 *         -EACCES  the device node may not be opened (_PRIVILEGE);
 *         -ENOENT, -ENODEV, -ENXIO, -ENOTTY  no driver, or no device node (_NO_DRIVER);
 *         -ENFILE  every number of the pattern is taken (_BUSY);
 *         -E2BIG   the device has no room for another queue (_BUSY);
 *         -EMFILE, -ENOMEM, ...  out of something (_SYSTEM);
 *         -EOPNOTSUPP  not on this operating system (_PLATFORM).
 *         After a failure nothing is left behind, and a device that existed is as it was.
 * @since 0.1.0
 */
int tuntap_open(const char *name, uint64_t flags, tuntap **dev, tuntap_error *err);

/**
 * Opens a device with options that have no flag.
 *
 * @param config  Read, not kept. NULL is the same as one without any option.
 * @return As tuntap_open; the options fail as tuntap_set_owner and tuntap_set_group do, and
 *         then the device is as if it had not been opened.
 * @since 0.1.0
 */
int tuntap_open_config(const char *name, uint64_t flags, const tuntap_config *config, tuntap **dev, tuntap_error *err);

/**
 * Closes a handle. A device that is not persistent goes away with its last handle.
 *
 * No other call may be running on the handle, and none may follow: closing does not end a read
 * that waits in another thread. To end a reader, let it poll() for the device and for a
 * descriptor of yours, or interrupt it by a signal without SA_RESTART.
 *
 * @param dev  May be NULL.
 * @since 0.1.0
 */
void tuntap_close(tuntap *dev);

/**
 * The name of the device at this moment; it can be renamed by others.
 *
 * @param buf   Receives the name. Bytes as the kernel has them, usually but not always UTF-8.
 * @param size  Bytes of buf; TUNTAP_NAME_SIZE always suffices.
 * @return 0, or -EINVAL (dev or buf is NULL), -ERANGE (buf is too small), -ENODEV (the device
 *         is gone).
 * @since 0.1.0
 */
int tuntap_get_name(const tuntap *dev, char *buf, size_t size, tuntap_error *err);

/**
 * The interface index, as if_nametoindex() has it. A rename does not change it.
 *
 * @param index  Receives the index.
 * @return 0, or -EINVAL (dev or index is NULL), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_get_index(const tuntap *dev, uint32_t *index, tuntap_error *err);

/**
 * The descriptor of this queue, for poll, epoll, select, io_uring and sendmsg(SCM_RIGHTS). It
 * stays the library's: do not close it. Readable: a packet waits. Writable: the device is up
 * and has room. POLLERR: the device is gone.
 *
 * @return The descriptor, or -EINVAL (dev is NULL). Safe in a signal handler.
 * @since 0.1.0
 */
int tuntap_get_fd(const tuntap *dev);

/**
 * The flags as the kernel granted them and as they are now: TUNTAP_TUN or TUNTAP_TAP,
 * TUNTAP_PI, TUNTAP_MULTI_QUEUE, TUNTAP_PERSIST and TUNTAP_NONBLOCK. TUNTAP_EXCLUSIVE is of
 * the opening only, and never among them.
 *
 * @param flags  Receives the flags.
 * @return 0, or -EINVAL (dev or flags is NULL), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_get_flags(const tuntap *dev, uint64_t *flags, tuntap_error *err);

/**
 * Makes the device outlive its last handle, or not. Needs no privilege beyond having opened
 * it.
 *
 * @param on  0 or not 0.
 * @return 0, or -EINVAL (dev is NULL), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_set_persist(tuntap *dev, int on, tuntap_error *err);

/**
 * The user who may open the device without privilege.
 *
 * @param uid  Receives the user, as the user namespace of the calling process numbers it.
 * @return 0, or -EINVAL (dev or uid is NULL), -ENOENT (no owner is set), -ENODEV (the device
 *         is gone).
 * @since 0.1.0
 */
int tuntap_get_owner(const tuntap *dev, uint32_t *uid, tuntap_error *err);

/**
 * Lets a user open the device without privilege. Where a group is set as well, the user must
 * be in that too. A device without owner and group is open to everybody who may open the
 * device node.
 *
 * @param uid  As the user namespace of the calling process numbers users. An owner cannot be
 *             unset again.
 * @return 0, or -EINVAL (dev is NULL; there is no such user in this user namespace,
 *         TUNTAP_REASON_RANGE), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_set_owner(tuntap *dev, uint32_t uid, tuntap_error *err);

/**
 * The group whose members may open the device without privilege.
 *
 * @param gid  Receives the group, as the user namespace of the calling process numbers it.
 * @return 0, or -EINVAL (dev or gid is NULL), -ENOENT (no group is set), -ENODEV (the device
 *         is gone).
 * @since 0.1.0
 */
int tuntap_get_group(const tuntap *dev, uint32_t *gid, tuntap_error *err);

/**
 * Lets the members of a group open the device without privilege: see tuntap_set_owner.
 *
 * @param gid  As the user namespace of the calling process numbers groups. A group cannot be
 *             unset again.
 * @return 0, or -EINVAL (dev is NULL; there is no such group in this user namespace,
 *         TUNTAP_REASON_RANGE), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_set_group(tuntap *dev, uint32_t gid, tuntap_error *err);

/**
 * Makes tuntap_read and tuntap_write on this handle wait, or return -EAGAIN instead. A call
 * that waits already goes on waiting.
 *
 * @param on  0: they wait. Not 0: they do not.
 * @return 0, or -EINVAL (dev is NULL).
 * @since 0.1.0
 */
int tuntap_set_nonblock(tuntap *dev, int on, tuntap_error *err);

/**
 * Takes the device up. Linux: RTM_SETLINK.
 *
 * @return 0, also when it is up already, or -EINVAL (dev is NULL), -EPERM (needs
 *         CAP_NET_ADMIN), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_up(tuntap *dev, tuntap_error *err);

/**
 * Takes the device down. Its addresses stay; packets that wait to be read can still be read.
 *
 * @return 0, also when it is down already, or -EINVAL (dev is NULL), -EPERM (needs
 *         CAP_NET_ADMIN), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_down(tuntap *dev, tuntap_error *err);

/**
 * Whether the device is up (IFF_UP).
 *
 * @return 1 if it is, 0 if not, or, which is true in C too, -EINVAL (dev is NULL), -ENODEV
 *         (the device is gone).
 * @since 0.1.0
 */
int tuntap_is_up(const tuntap *dev, tuntap_error *err);

/**
 * The MTU in bytes: of an IP packet, so a TAP's frame is 14 longer, and a VLAN tag's 4 come on
 * top. For the size of a buffer see tuntap_read_size.
 *
 * @param mtu  Receives the MTU.
 * @return 0, or -EINVAL (dev or mtu is NULL), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_get_mtu(const tuntap *dev, uint32_t *mtu, tuntap_error *err);

/**
 * Sets the MTU.
 *
 * @param mtu  In bytes. Linux takes 68 to 65535, and to 65521 for a TAP; under 1280 a device
 *             has no IPv6.
 * @return 0, or -EINVAL (dev is NULL; mtu is out of range, TUNTAP_REASON_RANGE), -EPERM (needs
 *         CAP_NET_ADMIN), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_set_mtu(tuntap *dev, uint32_t mtu, tuntap_error *err);

/**
 * The MAC address of a TAP.
 *
 * @param mac  Receives TUNTAP_MAC_SIZE (6) bytes.
 * @return 0, or -EINVAL (dev or mac is NULL), -EOPNOTSUPP (a TUN has none,
 *         TUNTAP_REASON_KIND), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_get_mac(const tuntap *dev, uint8_t *mac, tuntap_error *err);

/**
 * Sets the MAC address of a TAP, up or down.
 *
 * @param mac  TUNTAP_MAC_SIZE (6) bytes; not a group's (an odd first byte) and not all zeros.
 * @return 0, or -EINVAL (dev or mac is NULL; no usable address, TUNTAP_REASON_ADDRESS),
 *         -EOPNOTSUPP (a TUN has none, TUNTAP_REASON_KIND), -EPERM (needs CAP_NET_ADMIN),
 *         -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_set_mac(tuntap *dev, const uint8_t *mac, tuntap_error *err);

/**
 * The device's first IPv4 address, such as "10.8.0.1". This function and those for the
 * destination address and the netmask are for IPv4 alone.
 *
 * @param buf   Receives the address, without a prefix: see tuntap_get_netmask.
 * @param size  Bytes of buf; TUNTAP_ADDR_SIZE always suffices.
 * @return 0, or -EADDRNOTAVAIL (it has none, TUNTAP_REASON_UNSET), -EINVAL (dev or buf is
 *         NULL), -ERANGE (buf is too small), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_get_addr(const tuntap *dev, char *buf, size_t size, tuntap_error *err);

/**
 * Makes this the only IPv4 address of the device. When it fails, the addresses and prefixes
 * are as before.
 *
 * Linux: RTM_NEWADDR. The others are removed, and the IPv4 routes through them with them. A
 * TAP gets the broadcast address of the network as well. While the device is up, the kernel
 * adds a route to the network.
 *
 * @param addr  "10.8.0.1/24", or "10.8.0.1": then the prefix is 32, unless the device has this
 *              address already.
 * @return 0, or -EINVAL (dev or addr is NULL; not an address that a host can have,
 *         TUNTAP_REASON_ADDRESS), -EPERM (needs CAP_NET_ADMIN), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_set_addr(tuntap *dev, const char *addr, tuntap_error *err);

/**
 * The address of the other end of a point-to-point link, of the first IPv4 address.
 *
 * @param buf   Receives the address, such as "10.8.0.2".
 * @param size  Bytes of buf; TUNTAP_ADDR_SIZE always suffices.
 * @return 0, or -EADDRNOTAVAIL (it has no address, or no other end is set,
 *         TUNTAP_REASON_UNSET), -EINVAL (dev or buf is NULL), -ERANGE (buf is too small),
 *         -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_get_dstaddr(const tuntap *dev, char *buf, size_t size, tuntap_error *err);

/**
 * Sets the other end of the link, for the first IPv4 address. The prefix stays: it now counts
 * from the other end. When it fails, the addresses and prefixes are as before.
 *
 * Linux: all IPv4 addresses of the device are removed and added again, so that IPv4 routes
 * through it, and labels or lifetimes that others gave its addresses, are lost.
 *
 * @param dstaddr  Such as "10.8.0.2", without a prefix. The device's own address unsets it.
 * @return 0, or -EADDRNOTAVAIL (it has no address, TUNTAP_REASON_UNSET), -EINVAL (dev or
 *         dstaddr is NULL; not an address that a host can have, TUNTAP_REASON_ADDRESS), -EPERM
 *         (needs CAP_NET_ADMIN), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_set_dstaddr(tuntap *dev, const char *dstaddr, tuntap_error *err);

/**
 * The netmask of the first IPv4 address.
 *
 * @param buf   Receives the netmask, such as "255.255.255.0".
 * @param size  Bytes of buf; TUNTAP_ADDR_SIZE always suffices.
 * @return 0, or -EADDRNOTAVAIL (it has no address, TUNTAP_REASON_UNSET), -EINVAL (dev or buf
 *         is NULL), -ERANGE (buf is too small), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_get_netmask(const tuntap *dev, char *buf, size_t size, tuntap_error *err);

/**
 * Sets the netmask of the first IPv4 address. When it fails, the addresses and prefixes are as
 * before.
 *
 * Linux: all IPv4 addresses of the device are removed and added again, so that IPv4 routes
 * through it, and labels or lifetimes that others gave its addresses, are lost.
 *
 * @param netmask  Such as "255.255.255.0"; its ones come before its zeros.
 * @return 0, or -EADDRNOTAVAIL (it has no address, TUNTAP_REASON_UNSET), -EINVAL (dev or
 *         netmask is NULL; not a netmask, TUNTAP_REASON_ADDRESS), -EPERM (needs
 *         CAP_NET_ADMIN), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_set_netmask(tuntap *dev, const char *netmask, tuntap_error *err);

/**
 * The buffer that no packet of this device exceeds, at any MTU and on a TAP with up to two
 * VLAN tags: some 64 KiB, by the kind of the device and with the packet-information header.
 * Into such a buffer tuntap_read is at its fastest, and never cuts.
 *
 * @return Bytes; 0 if dev is NULL. It does not change while the handle is open.
 * @since 0.1.0
 */
size_t tuntap_read_size(const tuntap *dev);

/**
 * Takes one packet that the kernel sends out through the device: an IP packet (TUN) or an
 * Ethernet frame without its check sequence (TAP), behind the packet-information header if the
 * device has it. Waits for one unless the handle is non-blocking. Makes one system call and no
 * allocation; one reader a queue keeps packets in order.
 *
 * @param buf   Receives the packet. After a failure its bytes are undefined.
 * @param size  Bytes of buf. Any size that holds the packets is enough; tuntap_read_size says
 *              which always is.
 * @param err   May be NULL, which spares the time to write a message.
 * @return Bytes of the packet, or
 *         -EAGAIN    no packet, and the handle is non-blocking (TUNTAP_REASON_AGAIN);
 *         -EMSGSIZE  the packet was longer than size, and is lost (_BUFFER);
 *         -EINTR     a signal handler without SA_RESTART ran first (_INTERRUPTED);
 *         -ENODEV    the device is gone, also when it went during the wait (_REMOVED);
 *         -EINVAL    dev or buf is NULL (_ARGUMENT); size is too small for the packet
 *                    information (_BUFFER).
 * @since 0.1.0
 */
ssize_t tuntap_read(tuntap *dev, void *buf, size_t size, tuntap_error *err);

/**
 * Hands one packet to the kernel, which takes it as received through the device. The device
 * must be up. Takes the whole packet or nothing. Makes one system call and no allocation.
 *
 * With TUNTAP_PI the kernel alone judges what follows that header, by its EtherType, and drops
 * in silence what is no packet of that.
 *
 * @param buf   An IP packet (TUN) or an Ethernet frame without its check sequence (TAP),
 *              behind the packet-information header if the device has it.
 * @param size  Bytes of the packet.
 * @param err   May be NULL, which spares the time to write a message.
 * @return size, or
 *         -EAGAIN    no room, and the handle is non-blocking (TUNTAP_REASON_AGAIN);
 *         -EINVAL    no packet of this device's kind, and the message says why (_PACKET); dev
 *                    or buf is NULL (_ARGUMENT);
 *         -EMSGSIZE  longer than tuntap_read_size (_PACKET);
 *         -ENETDOWN  the device is down (_DOWN);
 *         -EINTR     a signal handler without SA_RESTART ran first (_INTERRUPTED);
 *         -ENODEV    the device is gone (_REMOVED).
 * @since 0.1.0
 */
ssize_t tuntap_write(tuntap *dev, const void *buf, size_t size, tuntap_error *err);

/**
 * Opens another queue of a multi-queue device: a handle of its own to the same device, which
 * lives until its last handle is closed. The kernel spreads flows over the attached queues.
 *
 * @param dev    Any handle of the device.
 * @param flags  0 or TUNTAP_NONBLOCK: the rest is the device's.
 * @param queue  Receives the new handle, attached; tuntap_close frees it.
 * @return 0, or -EINVAL (dev or queue is NULL; flags, TUNTAP_REASON_FLAGS; the device has a
 *         single queue, TUNTAP_REASON_MISMATCH), -E2BIG (no room for another queue), -EPERM
 *         (somebody else's device needs CAP_NET_ADMIN), -ENODEV (the device is gone), -EXDEV
 *         (the calling thread is in another network namespace than the device,
 *         TUNTAP_REASON_NAMESPACE), or as tuntap_open.
 * @since 0.1.0
 */
int tuntap_open_queue(tuntap *dev, uint64_t flags, tuntap **queue, tuntap_error *err);

/**
 * Attaches this queue to its device again: the kernel spreads packets over it.
 *
 * @return 0, also when it is attached already, or -EINVAL (dev is NULL; the device has a
 *         single queue, TUNTAP_REASON_MISMATCH), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_attach(tuntap *dev, tuntap_error *err);

/**
 * Detaches this queue from its device: the kernel drops the packets that wait in it and sends
 * no more to it, so that tuntap_read finds none until tuntap_attach. tuntap_write goes on
 * working, and the handle still answers for the device. A device whose queues are all detached
 * lives on, and drops what is sent through it.
 *
 * @return 0, also when it is detached already, or -EINVAL (dev is NULL; the device has a
 *         single queue, TUNTAP_REASON_MISMATCH), -ENODEV (the device is gone).
 * @since 0.1.0
 */
int tuntap_detach(tuntap *dev, tuntap_error *err);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TUNTAP_H */
