/* SPDX-License-Identifier: MIT
 *
 * libtuntap: create, configure and drive TUN and TAP network devices.
 * Generated from src/capi by cbindgen: change it there, then run `make header`.
 *
 * To compile a program: cc prog.c $(pkg-config --cflags --libs tuntap)
 *
 * Rules for all functions
 *
 * Terms.     A flow is the packets of one TCP or UDP connection in one direction. A super-packet is
 *            one packet of up to 64 KiB that stands for several packets of a flow, its segments: it
 *            has their payload behind one set of headers (GSO in the kernel).
 * Errors.    A function that can fail returns 0 or a count on success, and a negative errno on
 *            failure. Its last argument, `err`, may be NULL; otherwise it is filled in on
 *            failure, and left unchanged on success. Outputs are written on success only. A call
 *            that fails leaves the device as it was.
 *            Each function lists the errnos that have a specific meaning there, with the reason in
 *            parentheses: _NAME stands for TUNTAP_REASON_NAME.
 *            Every function that acts on a device or opens something can also return:
 *            -ENOMEM, -EMFILE, -ENFILE, -ENOBUFS  no resources (TUNTAP_REASON_SYSTEM);
 *            -ENODEV  the device is gone (TUNTAP_REASON_REMOVED);
 *            -EPERM, -EACCES  not permitted (TUNTAP_REASON_PRIVILEGE);
 *            -EXDEV  see Namespace (TUNTAP_REASON_NAMESPACE);
 *            any other errno of the operating system (TUNTAP_REASON_SYSTEM). It is never 0, and
 *            an errno without a name keeps its number.
 * Messages.  Names, paths and other texts in a message are escaped, so that a terminal shows
 *            them and does not interpret them: control characters, and bytes that are not valid
 *            UTF-8, appear as \xNN.
 * Pointers.  A NULL pointer where an object, a text or an output is needed is -EINVAL with
 *            TUNTAP_REASON_ARGUMENT. The caller must not free() a returned pointer.
 * Text.      Text arguments are NUL-terminated. Text results go to a buffer of the caller and are
 *            always NUL-terminated. If the buffer is too small, the call returns -ERANGE with
 *            TUNTAP_REASON_BUFFER, and the message states the size needed.
 * Structs.   A function that reads or fills in a struct also takes its size, for example
 *            sizeof(tuntap_addr), because later versions may add members at the end. The library
 *            fills in as much as the caller has room for. When it reads a shorter struct, the
 *            missing members are 0. Members that this version does not know must be 0. A size that
 *            is smaller than the struct of the first version that had it, or larger than 4096
 *            bytes, is refused.
 * Waiting.   A wait ends with -EINTR when a signal handler ran in the thread, even with
 *            SA_RESTART, and with -ETIMEDOUT when its time limit passed, never earlier.
 *            tuntap_wake ends all current waits on the handle or, if there are none, the next one,
 *            with -ECANCELED. tuntap_shutdown ends all current and later waits with -ECANCELED.
 * Signals.   These functions are async-signal-safe: tuntap_wake, tuntap_shutdown,
 *            tuntap_monitor_shutdown, tuntap_get_fd, tuntap_strreason, tuntap_strevent,
 *            tuntap_version and tuntap_version_number.
 * Threads.   Every function may be called from any thread. Any number of threads may read, write
 *            and wait on one handle at the same time. Calls that configure a handle may wait for
 *            each other, but never for a packet. All other objects, for example a tuntap_config
 *            or a tuntap_reader, may be used by one thread at a time (tuntap_monitor_shutdown may be
 *            called from any thread). When a function that frees an object (tuntap_close,
 *            tuntap_config_free, tuntap_monitor_close) is called, no other call may be using the
 *            object, and none may follow. No function is a cancellation point.
 * Cost.      On Linux a handle has:
 *            1 descriptor  after the open: the device node;
 *            2 descriptors once it was configured: a netlink socket, opened by the first call that
 *                          queries or configures the device;
 *            2 descriptors once it was waited on: an event counter (for tuntap_wake) replaces the
 *                          socket, and later calls that need a socket open one for the call;
 *            3 descriptors once it was waited on, if it must keep the socket: without CAP_NET_ADMIN,
 *                          before Linux 5.4, or if the device is in another namespace than the
 *                          calling thread.
 *            Without CAP_NET_ADMIN or before Linux 5.4 the socket is there from the open on, because
 *            it shows that the device still exists; a handle of tuntap_open_fd has none in this
 *            case. Another queue is another handle. A monitor has 1 descriptor, a netlink socket,
 *            and 2 once it was waited on. A wait that cannot open its descriptor returns -EMFILE,
 *            -ENFILE or -ENOMEM.
 * Privilege. Setting a value that the device already has makes no privileged system call.
 * Failure.   The library runs no other program, has no global state, and prints nothing, except one
 *            line to standard error before it aborts the process after an internal fault. On Linux,
 *            a call that runs out of memory returns -ENOMEM and changes nothing, with one exception:
 *            a change of several steps can stay incomplete when there is also no memory to undo it.
 * Namespace. A device can be in another network namespace than the calling thread: it was opened
 *            there, or was moved there. Reading, writing and closing work as usual, and calls that
 *            query or configure the device act in its namespace. If the process may not do that,
 *            they return -EXDEV with TUNTAP_REASON_NAMESPACE, and the message states what is
 *            needed. They return the same if the library cannot verify that it would reach this
 *            device and not another one with the same name. Without CAP_NET_ADMIN in the
 *            namespace of the device, or before Linux 5.4, this happens with a device that was
 *            taken over (tuntap_open_fd) or that has left its namespace.
 * Fork.      After fork(), only one of the two processes may use all functions on a handle. The
 *            other one may only call tuntap_read, tuntap_write, tuntap_get_fd and tuntap_close. If
 *            another thread was in a call on the handle during fork(), the parent must be the one
 *            that uses all functions. The unread rest of a super-packet stays with the parent.
 *
 * The library is tested on Linux 5.10 and later; 4.19 to 5.9 are expected to work. Comments name
 * what needs a certain version. On Darwin (macOS, iOS), a function that is not supported returns
 * -EOPNOTSUPP with TUNTAP_REASON_PLATFORM; other differences are stated where they matter.
 */

#ifndef TUNTAP_H
#define TUNTAP_H

#include <stddef.h>
#include <stdint.h>
#ifdef _MSC_VER
#include <BaseTsd.h>
typedef SSIZE_T ssize_t;
#else
#include <sys/types.h>
#endif
#ifndef _WIN32
#include <sys/uio.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** A handle: one queue of an open device. */
typedef struct tuntap tuntap;

/** Options for tuntap_open_config. */
typedef struct tuntap_config tuntap_config;

/** Reports changes of devices. */
typedef struct tuntap_monitor tuntap_monitor;

/** Reads packets in batches. */
typedef struct tuntap_reader tuntap_reader;

/** Writes packets in batches. */
typedef struct tuntap_writer tuntap_writer;

/** Splits super-packets into packets, in memory. */
typedef struct tuntap_splitter tuntap_splitter;

/** Joins packets into super-packets, in memory. */
typedef struct tuntap_joiner tuntap_joiner;

/* ----------------------------------------------------------------------------
 * Errors
 *
 * The error that a function fills in on failure.
 */

/**
 * Size of the message of a tuntap_error in bytes, with its NUL.
 */
#define TUNTAP_MESSAGE_SIZE 248

/**
 * No error.
 */
#define TUNTAP_REASON_NONE 0

/**
 * An argument is NULL or not one of the allowed values.
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
 * Not a valid or usable address.
 */
#define TUNTAP_REASON_ADDRESS 4

/**
 * A number is out of range.
 */
#define TUNTAP_REASON_RANGE 5

/**
 * The caller's buffer is too small.
 */
#define TUNTAP_REASON_BUFFER 6

/**
 * The bytes are not a packet of this kind of device.
 */
#define TUNTAP_REASON_PACKET 7

/**
 * No TUN/TAP driver, or no device node.
 */
#define TUNTAP_REASON_NO_DRIVER 8

/**
 * The process lacks the privilege.
 */
#define TUNTAP_REASON_PRIVILEGE 9

/**
 * The name or the device is in use.
 */
#define TUNTAP_REASON_BUSY 10

/**
 * The wrong kind of device: a TAP instead of a TUN or the reverse, or neither.
 */
#define TUNTAP_REASON_KIND 11

/**
 * The device has other modes than requested. The message states the difference.
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
 * The device is gone: it was removed while the handle was open.
 */
#define TUNTAP_REASON_REMOVED 15

/**
 * The device is down.
 */
#define TUNTAP_REASON_DOWN 16

/**
 * The requested value is not set.
 */
#define TUNTAP_REASON_UNSET 17

/**
 * No packet to read, or no room to write, at the moment.
 */
#define TUNTAP_REASON_AGAIN 18

/**
 * A signal handler ran while the call waited.
 */
#define TUNTAP_REASON_INTERRUPTED 19

/**
 * The operating system refused. The errno is the cause.
 */
#define TUNTAP_REASON_SYSTEM 20

/**
 * Not a network namespace, or one that the process cannot enter.
 */
#define TUNTAP_REASON_NAMESPACE 21

/**
 * The time limit passed.
 */
#define TUNTAP_REASON_TIMEOUT 22

/**
 * tuntap_wake ended the wait.
 */
#define TUNTAP_REASON_WOKEN 23

/**
 * The device does not exist.
 */
#define TUNTAP_REASON_ABSENT 24

/**
 * The kernel's queue is full, and poll does not report when there is room: try again a
 * little later. Darwin only.
 */
#define TUNTAP_REASON_FULL 25

/**
 * The handle was shut down: calls on it do not wait any more.
 */
#define TUNTAP_REASON_SHUTDOWN 26

/**
 * Why a call failed. The size is always 256 bytes.
 */
typedef struct tuntap_error {
    /**
     * The negative errno that the call returned.
     */
    int32_t code;
    /**
     * A TUNTAP_REASON_*: the cause, where the errno alone is ambiguous.
     */
    uint32_t reason;
    /**
     * The action, its object, the cause and a remedy, in one sentence. NUL-terminated UTF-8.
     */
    char message[TUNTAP_MESSAGE_SIZE];
} tuntap_error;

/**
 * Returns a short phrase for a reason, for example "name taken or device busy". Safe in a
 * signal handler.
 *
 * @param reason  A TUNTAP_REASON_*.
 * @return A constant. "unknown reason" for a number that this version does not know.
 *         Cannot fail.
 * @since 0.1.0
 */
const char *tuntap_strreason(uint32_t reason);

/* ----------------------------------------------------------------------------
 * Devices
 *
 * Opening and closing devices, their properties, and sizes of buffers.
 */

/**
 * A device that carries IP packets. An open needs either this flag or TUNTAP_TAP.
 */
#define TUNTAP_TUN 0x1

/**
 * A device that carries Ethernet frames.
 */
#define TUNTAP_TAP 0x2

/**
 * Each packet has a packet-information header of 4 bytes: 2 bytes of flags in the byte order
 * of the machine, where 1 means that the packet is truncated, and 2 bytes of EtherType in
 * network byte order (0x0800 IPv4, 0x86dd IPv6). Darwin, for a TUN only: the address family
 * in network byte order (2 IPv4, 30 IPv6), as a utun interface uses it.
 */
#define TUNTAP_PI 0x4

/**
 * The device can have several queues, each with its own handle: see tuntap_open_queue.
 */
#define TUNTAP_MULTI_QUEUE 0x8

/**
 * The open fails with TUNTAP_REASON_BUSY if the device exists, instead of attaching to it.
 */
#define TUNTAP_EXCLUSIVE 0x10

/**
 * Functions that read or write packets return -EAGAIN instead of waiting, including those
 * of readers and writers: tuntap_set_nonblock lists them. Functions with a time limit still
 * wait.
 */
#define TUNTAP_NONBLOCK 0x20

/**
 * The device stays after its last descriptor is closed (see tuntap_close), until
 * tuntap_set_persist(dev, 0) or `ip link delete`. If later steps of the configuration can
 * fail, call tuntap_set_persist as the last step instead: then a failure leaves no
 * incomplete device.
 */
#define TUNTAP_PERSIST 0x40

/**
 * Written packets enter the network stack through NAPI: in batches, with generic receive
 * offload (GRO).
 */
#define TUNTAP_NAPI 0x80

/**
 * For a TAP: as TUNTAP_NAPI, and the parts of a tuntap_writev, up to 18, become the
 * fragments of the kernel's packet. A frame may have at least 65,277 bytes: on x86-64
 * up to 65,471. Opening and writing need CAP_NET_ADMIN in the initial user namespace.
 */
#define TUNTAP_NAPI_FRAGS 0x100

/**
 * The open fails with TUNTAP_REASON_ABSENT if the device does not exist, instead of
 * creating it. Needs a name that is not a pattern. Cannot be combined with
 * TUNTAP_EXCLUSIVE.
 */
#define TUNTAP_EXISTING 0x200

/**
 * tuntap_open_fd: the descriptor still belongs to the caller.
 */
#define TUNTAP_BORROW 0x400

/**
 * The device passes super-packets of up to 64 KiB (segmentation offload).
 * tuntap_reader_next splits them, tuntap_writer_put coalesces packets into them,
 * tuntap_read_super and tuntap_write_super pass them unchanged, and tuntap_read and
 * tuntap_write still pass one packet per call. All offloads that the kernel supports are on:
 * see tuntap_get_offloads and tuntap_set_offloads. Those of tunnels also need a virtio header
 * of 24 bytes, which a new device without TUNTAP_PERSIST gets. The header has the size and
 * the byte order that the device had when the handle was opened: see
 * tuntap_get_vnet_hdr_size.
 * Cannot be combined with TUNTAP_PI or TUNTAP_NAPI_FRAGS.
 */
#define TUNTAP_OFFLOAD 0x800

/**
 * tuntap_writer_new, tuntap_joiner_new: the integrity of the packets is already verified,
 * for example by authenticated decryption. Their TCP and UDP checksums are not verified but
 * recomputed, even wrong ones. tuntap_reader_new, tuntap_splitter_new: segments are returned
 * with wrong TCP and UDP checksums. Give them only to a writer with this flag on a device
 * with TUNTAP_OFFLOAD, on this host or at the other end of an authenticated tunnel: any other
 * receiver drops them. In a tunnel, set the flag on the reader at the sending end and on the
 * writer at the receiving end.
 */
#define TUNTAP_TRUSTED 0x1000

/**
 * Size of a buffer that is large enough for any device name of any operating system, with
 * its NUL. On Linux, Darwin and the BSDs a name has up to 15 bytes.
 */
#define TUNTAP_NAME_SIZE 256

/**
 * Size of a buffer that is large enough for any address as text, of any family, with its
 * prefix length and its NUL.
 */
#define TUNTAP_ADDR_SIZE 64

/**
 * Size of a buffer that is large enough for any alias, with its NUL.
 */
#define TUNTAP_ALIAS_SIZE 256

/**
 * Size of a MAC address in bytes.
 */
#define TUNTAP_MAC_SIZE 6

/**
 * Opens a TUN or TAP device. Attaches to an existing device; otherwise creates it. A new
 * device is down and has no address. A device that this call creates is removed with its
 * last handle, unless it is persistent. If the call fails, an existing device is as it
 * was, and no new device remains.
 *
 * Linux: opens /dev/net/tun and calls TUNSETIFF. An existing device that is not open gets
 * the TUNTAP_PI setting of this call and keeps it. A device that is open keeps its setting,
 * and a request for a different one is refused. Descriptors are opened close-on-exec. The
 * device belongs to the network namespace of the calling thread, and the handle continues
 * to act in that namespace.
 *
 * Darwin: a TUN is a utun interface, created through its control socket, and up from the
 * start. A TAP is one of a pair of feth interfaces. Its frames pass through BPF and
 * AF_NDRV on the other one, which is also visible in the list of interfaces. Closing the
 * handle destroys both; if the process was killed, run `ifconfig feth0 destroy`. The
 * driver defines the names: "utun7" or "feth7", "utun%d" or "feth%d". A device has one
 * handle, so a name that exists is -EBUSY.
 *
 * @param name   NULL or "": the kernel chooses (tun0, tap0, ...). "vpn0": this name. It
 *               has at most 15 bytes, no slash, colon or white space, and is not ".", "..",
 *               "all" or "default". "vpn%d": the first free number.
 * @param flags  TUNTAP_TUN or TUNTAP_TAP, combined with any of the flags above except
 *               TUNTAP_BORROW and TUNTAP_TRUSTED.
 * @param dev    Receives the handle, on success only. tuntap_close frees it.
 * @param err    May be NULL.
 * @return 0, or
 *         -EINVAL      name is not valid (_NAME);
 *         -EINVAL      flags are not valid (_FLAGS);
 *         -EINVAL      dev is NULL (_ARGUMENT);
 *         -EINVAL      the existing device is of the other kind, or is not a TUN or TAP
 *                      device (_KIND);
 *         -EINVAL      the existing device has other modes than requested, and the message
 *                      states the difference (_MISMATCH);
 *         -EBUSY       the device is open elsewhere, or exists and TUNTAP_EXCLUSIVE was
 *                      given (_BUSY);
 *         -ENODEV      the device does not exist, and TUNTAP_EXISTING was given (_ABSENT);
 *         -ENODEV      others delete the device each time it is created (_REMOVED);
 *         -EPERM       creating a device needs CAP_NET_ADMIN, and so does opening one that
 *                      belongs to another user (_PRIVILEGE);
 *         -EACCES      the device node cannot be opened (_PRIVILEGE);
 *         -ENOENT, -ENODEV, -ENXIO, -ENOTTY  no driver, or no device node (_NO_DRIVER);
 *         -ENFILE      all numbers of the pattern are in use (_BUSY);
 *         -E2BIG       the device cannot have another queue (_BUSY);
 *         -EMFILE, -ENOMEM, ...  out of resources (_SYSTEM);
 *         -EOPNOTSUPP  not supported on this operating system (_PLATFORM).
 * @since 0.1.0
 */
int tuntap_open(const char *name, uint64_t flags, tuntap **dev, tuntap_error *err);

/**
 * Opens a device with further options. Either all of them are applied, or none. The order
 * is: network namespace, device node, virtio header, MTU, MAC address, alias, transmit
 * queue length, send buffer, addresses, up or down, routes, owner, group, and
 * TUNTAP_PERSIST last. Addresses and routes are added in the order of the calls. A route needs a device
 * that is up: without tuntap_config_set_up the open fails with -ENETDOWN, unless the device is up
 * already, and with tuntap_config_set_up(config, 0) it fails with -EINVAL (TUNTAP_REASON_ARGUMENT).
 *
 * When an option fails, a new device is removed and an existing one is restored, with two
 * exceptions: a first owner that was set cannot be unset when setting the group or
 * TUNTAP_PERSIST fails after it, and a route with several next hops is not restored if the
 * options made the kernel remove it.
 *
 * @param name    As tuntap_open. NULL: the kernel chooses.
 * @param flags   As tuntap_open.
 * @param config  The options, not changed and not kept. NULL: no options.
 * @param dev     Receives the handle, on success only. tuntap_close frees it.
 * @param err     May be NULL.
 * @return 0, or as tuntap_open, or as the function that sets the option that failed, which
 *         the message names, or -EINVAL (an option of the virtio header was given without
 *         TUNTAP_OFFLOAD, TUNTAP_REASON_FLAGS).
 * @since 0.1.0
 */
int tuntap_open_config(const char *name, uint64_t flags, const tuntap_config *config, tuntap **dev, tuntap_error *err);

#if !defined(_WIN32)
/**
 * Takes over the descriptor of a device that was opened elsewhere: by another process,
 * which passed it with SCM_RIGHTS, by systemd, or by Android's VpnService. The library
 * queries its modes from the kernel. tuntap_get_flags reports what the descriptor was
 * granted.
 *
 * The device can be in another network namespace. If the process may not configure it
 * there, reading and writing work, and so do tuntap_get_name, tuntap_get_flags and the
 * functions that only act on the queue: tuntap_get_vnet_hdr_size, tuntap_get_sndbuf,
 * tuntap_set_persist and tuntap_shutdown. Other calls that query or configure the device
 * return -EXDEV with TUNTAP_REASON_NAMESPACE. Without CAP_NET_ADMIN they do so in the
 * caller's own namespace too, because nothing shows that the device is in it. Let the
 * process that sends the descriptor configure the device, and send what the receiver needs
 * to know, such as the MTU.
 *
 * This call does not change the device and writes no packet. If only the descriptor itself
 * can show whether a TUN has the packet-information header, and the TUN has none, the
 * kernel counts one dropped packet (rx_dropped).
 *
 * The open file becomes non-blocking (O_NONBLOCK) for every process that shares it, and
 * stays non-blocking.
 *
 * @param fd     A descriptor that TUNSETIFF attached to a device. On success it belongs to
 *               the handle, which sets close-on-exec and closes it. On failure it still
 *               belongs to the caller.
 * @param flags  0 or TUNTAP_NONBLOCK, and TUNTAP_BORROW: the handle uses a copy, and fd
 *               still belongs to the caller.
 * @param dev    Receives the handle, on success only. tuntap_close frees it.
 * @param err    May be NULL.
 * @return 0, or
 *         -EINVAL       dev is NULL (_ARGUMENT);
 *         -EINVAL       flags are not valid (_FLAGS);
 *         -EINVAL       fd is not the descriptor of a TUN or TAP device (_KIND);
 *         -EINVAL       the virtio header has more than 256 bytes, or packet information
 *                       comes before it (_MISMATCH);
 *         -EBADF        fd is not open for reading and writing (_ARGUMENT);
 *         -ENODEV       fd has no device, or the device is gone (_REMOVED);
 *         -EMFILE, ...  out of resources (_SYSTEM).
 * @since 0.1.0
 */
int tuntap_open_fd(int fd, uint64_t flags, tuntap **dev, tuntap_error *err);
#endif

/**
 * Closes a handle. The last handle of a device that is not persistent removes the device.
 *
 * More precisely, the kernel removes the device with its last descriptor. Descriptors that were passed
 * with SCM_RIGHTS, inherited by fork(), duplicated or released (tuntap_release), and the copy of
 * TUNTAP_BORROW, also count, in every process. So a process that sends a descriptor may close its
 * handle directly after sendmsg().
 *
 * On Linux the kernel takes about 20 ms to remove a device, and the call waits for that. A
 * program with many devices can open them with TUNTAP_PERSIST, close the handles, and delete their
 * network namespace: the kernel then removes all of them together.
 *
 * Readers and writers also hold the device: it stays open, and they continue to work,
 * until the last of them is closed. They and the handle can be closed in any order.
 *
 * No other call on the handle may be running, and none may follow. To stop the threads
 * that use it, call tuntap_shutdown, join them, then close. After tuntap_close only a signal
 * handler ends a wait of a reader or writer.
 *
 * @param dev  The handle. May be NULL.
 * @since 0.1.0
 */
void tuntap_close(tuntap *dev);

#if !defined(_WIN32)
/**
 * Frees a handle and gives its descriptor to the caller, for a program that continues
 * without the library or passes the device to another process. tuntap_open_fd takes it
 * back.
 *
 * Default routes and bypasses of the handle end, unless TUNTAP_KEEP was set.
 *
 * The descriptor is non-blocking (O_NONBLOCK) and close-on-exec, as it was in the handle.
 * The device stays open and keeps its settings. The unread rest of a super-packet is lost:
 * read until -EAGAIN first.
 *
 * The caller must close the descriptor. For a handle that tuntap_open_fd opened with TUNTAP_BORROW it
 * is the copy, and the caller still has the original one. For one that it opened without this flag it
 * is the descriptor that was given to tuntap_open_fd.
 *
 * A device with TUNTAP_OFFLOAD keeps its offloads and its virtio header, which each packet on the
 * descriptor has: tuntap_get_vnet_hdr_size returns its size, and
 * tuntap_config_set_vnet_hdr_size sets one that the other program expects. For a program that
 * knows the header but no offloads, call tuntap_set_offloads(dev, 0) first: then it gets no
 * super-packets, and all checksums are complete.
 *
 * @param dev  Freed on success: no other call on it may be running, and none may follow.
 *             Unchanged on failure.
 * @param fd   Receives the descriptor.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL      dev or fd is NULL (_ARGUMENT);
 *         -EBUSY       a reader or a writer holds the device (_BUSY);
 *         -EOPNOTSUPP  Darwin: a TAP uses several descriptors (_PLATFORM).
 * @since 0.1.0
 */
int tuntap_release(tuntap *dev, int *fd, tuntap_error *err);
#endif

/**
 * Gets the current name of the device. Other processes can rename it at any time.
 *
 * @param dev   The device.
 * @param buf   Receives the name: the bytes of the kernel, usually but not always UTF-8.
 * @param size  Bytes of buf. TUNTAP_NAME_SIZE is always enough.
 * @param err   May be NULL.
 * @return 0, or
 *         -EINVAL  dev or buf is NULL (_ARGUMENT);
 *         -ERANGE  buf is too small (_BUFFER);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_name(const tuntap *dev, char *buf, size_t size, tuntap_error *err);

/**
 * Gets the interface index, as if_nametoindex() returns it. Renaming the device does not
 * change it.
 *
 * @param dev    The device.
 * @param index  Receives the index.
 * @param err    May be NULL.
 * @return 0, or
 *         -EINVAL  dev or index is NULL (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_index(const tuntap *dev, uint32_t *index, tuntap_error *err);

#if !defined(_WIN32)
/**
 * Gets the descriptor of this queue, for poll, epoll, select, io_uring and
 * sendmsg(SCM_RIGHTS). It belongs to the handle: do not close it. Readable means that a
 * packet is available, writable that the device is up and has room, and POLLERR that the
 * device is gone.
 *
 * The descriptor is always non-blocking (O_NONBLOCK), even if the handle is not, and must
 * stay so: the library does the waiting. With io_uring, link a poll before each read.
 *
 * The program may read and write the descriptor itself. With TUNTAP_OFFLOAD each packet then
 * begins with the virtio header, in the byte order of the device. Do not mix this with
 * tuntap_read and readers on the same queue: the handle can hold the rest of a super-packet.
 *
 * The device stays while any process has the descriptor: after sendmsg(SCM_RIGHTS) the sender may
 * close its handle.
 *
 * Darwin: the descriptor of a TAP is a kqueue. It is readable while a frame is available
 * in the kernel or in the handle, until a read finds none, and when the device is gone. It
 * only serves for waiting, and does not report room to write.
 *
 * Safe in a signal handler.
 *
 * @param dev  The device.
 * @param err  May be NULL.
 * @return The descriptor, or -EINVAL (dev is NULL, TUNTAP_REASON_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_get_fd(const tuntap *dev, tuntap_error *err);
#endif

/**
 * Gets the current flags of the device and the handle, as granted by the kernel:
 * TUNTAP_TUN or TUNTAP_TAP, TUNTAP_PI, TUNTAP_MULTI_QUEUE, TUNTAP_NAPI, TUNTAP_NAPI_FRAGS,
 * TUNTAP_OFFLOAD, TUNTAP_PERSIST and TUNTAP_NONBLOCK. The other flags only apply to the
 * open and are never reported.
 *
 * @param dev    The device.
 * @param flags  Receives the flags.
 * @param err    May be NULL.
 * @return 0, or
 *         -EINVAL  dev or flags is NULL (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_flags(const tuntap *dev, uint64_t *flags, tuntap_error *err);

/**
 * Sets whether the device stays after its last handle is closed. Needs no privilege on a
 * device that the caller has open.
 *
 * @param dev  The device.
 * @param on   0: no. Not 0: yes.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL  dev is NULL (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_persist(tuntap *dev, int on, tuntap_error *err);

/**
 * Gets the user who may open the device without privilege.
 *
 * @param dev  The device.
 * @param uid  Receives the user, as numbered in the user namespace of the calling process.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL  dev or uid is NULL (_ARGUMENT);
 *         -ENOENT  no owner is set (_UNSET);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_owner(const tuntap *dev, uint32_t *uid, tuntap_error *err);

/**
 * Sets the user who may open the device without privilege. If a group is also set, the
 * user must be a member of it. A device without owner and group is open to everyone who
 * may open the device node. The owner must be able to open the device node too. An owner
 * cannot be unset. Setting it needs no privilege on a device that the caller has open.
 *
 * @param dev  The device.
 * @param uid  As numbered in the user namespace of the calling process.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL  dev is NULL (_ARGUMENT);
 *         -EINVAL  this user namespace has no such user (_RANGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_owner(tuntap *dev, uint32_t uid, tuntap_error *err);

/**
 * Gets the group whose members may open the device without privilege.
 *
 * @param dev  The device.
 * @param gid  Receives the group, as numbered in the user namespace of the calling
 *             process.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL  dev or gid is NULL (_ARGUMENT);
 *         -ENOENT  no group is set (_UNSET);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_group(const tuntap *dev, uint32_t *gid, tuntap_error *err);

/**
 * Sets the group whose members may open the device without privilege: see
 * tuntap_set_owner. A group cannot be unset.
 *
 * @param dev  The device.
 * @param gid  As numbered in the user namespace of the calling process.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL  dev is NULL (_ARGUMENT);
 *         -EINVAL  this user namespace has no such group (_RANGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_group(tuntap *dev, uint32_t gid, tuntap_error *err);

/**
 * Sets whether functions that read or write packets through this handle wait, or return
 * -EAGAIN. They are tuntap_read, tuntap_readv, tuntap_read_super, tuntap_write,
 * tuntap_writev and tuntap_write_super; of its readers tuntap_reader_next,
 * tuntap_reader_batch and tuntap_reader_copy; and of its writers tuntap_writer_put,
 * tuntap_writer_commit, tuntap_writer_flush and tuntap_writer_batch.
 *
 * Functions with a time limit are not affected: tuntap_wait, tuntap_read_timeout and
 * tuntap_write_timeout. Neither is a call that is already waiting.
 *
 * @param dev  The device.
 * @param on   0: they wait. Not 0: they return -EAGAIN.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL  dev is NULL (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_set_nonblock(tuntap *dev, int on, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Devices of the system
 *
 * All devices of the system, and the features of the kernel.
 */

/**
 * Owner or group of a device that has none. No user and no group has this number.
 */
#define TUNTAP_NO_ID 0xffffffff

/**
 * A TUN or TAP device of the system. Later versions may add members at the end.
 */
typedef struct tuntap_info {
    /**
     * The interface index.
     */
    uint32_t index;
    /**
     * The MTU.
     */
    uint32_t mtu;
    /**
     * TUNTAP_TUN or TUNTAP_TAP, combined with TUNTAP_PI, TUNTAP_MULTI_QUEUE, TUNTAP_OFFLOAD and
     * TUNTAP_PERSIST. Linux does not report TUNTAP_NAPI.
     */
    uint64_t flags;
    /**
     * The user who may open the device without privilege, as a number of the calling process's
     * user namespace. TUNTAP_NO_ID if none is set.
     */
    uint32_t owner;
    /**
     * The group whose members may open the device without privilege. TUNTAP_NO_ID if none is set.
     */
    uint32_t group;
    /**
     * Not 0 if the device is up.
     */
    uint8_t up;
    /**
     * Not 0 if the device has a carrier.
     */
    uint8_t carrier;
    /**
     * The MAC address; zeros for a TUN.
     */
    uint8_t mac[TUNTAP_MAC_SIZE];
    /**
     * The name.
     */
    char name[TUNTAP_NAME_SIZE];
} tuntap_info;

/**
 * Lists the TUN and TAP devices in the network namespace of the calling thread.
 *
 * It lists devices of other programs too, and needs no privilege.
 *
 * @param devices  Receives the first count devices. NULL with a count of 0: only the number is
 *                 returned.
 * @param count    Number of elements of devices.
 * @param size     sizeof(tuntap_info), the distance between two elements of devices.
 * @param err      May be NULL.
 * @return The number of devices, which can be more than count; or
 *         -EINVAL      devices is NULL and count is not 0; size is too small
 *                      (_ARGUMENT);
 *         -EMFILE, ... no resources (_SYSTEM);
 *         -EOPNOTSUPP  not supported on this operating system (_PLATFORM).
 * @since 0.1.0
 */
ssize_t tuntap_list(tuntap_info *devices, size_t count, size_t size, tuntap_error *err);

/**
 * Deletes a persistent device by its name, in the network namespace of the calling thread.
 *
 * It does what `ip tuntap del` does, and finds the kind and the modes of the device by itself. The
 * owner of the device needs no privilege. A device that is in use is not changed: turn
 * TUNTAP_PERSIST off with tuntap_set_persist, and the device is removed with its last handle.
 *
 * On Linux the carrier of the device changes while it is deleted, which other programs can see.
 * Darwin has no persistent devices.
 *
 * @param name   The name of the device.
 * @param flags  0.
 * @param err    May be NULL.
 * @return 0, or
 *         -EINVAL  name is NULL (_ARGUMENT), or not a valid name (_NAME); flags is not
 *                  0 (_FLAGS); the interface is not a TUN or TAP device (_KIND);
 *         -ENODEV  there is no such device (_ABSENT);
 *         -EBUSY   the device is in use, or other programs delete and create it repeatedly (_BUSY);
 *         -EPERM   the device belongs to another user, and the process does not have CAP_NET_ADMIN
 *                  (_PRIVILEGE);
 *         -EACCES, -ENOENT, -ENXIO, -ENOTTY, -EMFILE, ...  as tuntap_open;
 *         -EOPNOTSUPP  not supported on this operating system (_PLATFORM).
 * @since 0.1.0
 */
int tuntap_delete(const char *name, uint64_t flags, tuntap_error *err);

/**
 * Reports whether the running kernel, and a device, support a feature.
 *
 * tuntap_has reports what the library supports on this operating system, and does not query the
 * kernel. This function queries it, and changes nothing.
 *
 * On Linux, without a device, the driver reports its modes. For TUNTAP_FEATURE_CARRIER,
 * TUNTAP_FEATURE_STEERING, TUNTAP_FEATURE_USO and TUNTAP_FEATURE_FOLLOW the result then depends
 * only on the version of the kernel. With a device the library queries the kernel, which also finds
 * features that a distribution has backported.
 *
 * @param dev        NULL: only the kernel. A device: the result also depends on the kind and the
 *                   modes of the device, which are fixed when it is created. For example, USO
 *                   needs TUNTAP_OFFLOAD.
 * @param feature    A TUNTAP_FEATURE_*.
 * @param supported  Receives 1 or 0. It is 0 for a number that this version does not know.
 * @param err        May be NULL.
 * @return 0, or the reason why the result is not known:
 *         -EINVAL            supported is NULL (_ARGUMENT);
 *         -ENODEV            the device is gone (_REMOVED);
 *         -EPERM, -EACCES    not permitted (_PRIVILEGE);
 *         -ENOENT, -ENXIO, ... no driver or no device node (_NO_DRIVER);
 *         -EXDEV             this process cannot reach the device (_NAMESPACE);
 *         -EMFILE, ...       no resources (_SYSTEM).
 * @since 0.1.0
 */
int tuntap_probe(const tuntap *dev, uint32_t feature, int *supported, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Packets
 *
 * Reading and writing one packet at a time.
 */

/**
 * Gets the size of a buffer that holds every packet of this device.
 *
 * The size suffices at any MTU, and on a TAP with up to two VLAN tags. It depends on the kind of the
 * device and on the packet-information header: about 64 KiB, or 16 KiB for a TAP on Darwin.
 * tuntap_read is fastest with a buffer of this size, and never truncates.
 *
 * @param dev  The device.
 * @return Bytes, which do not change while the handle is open; 0 if dev is NULL.
 * @since 0.1.0
 */
size_t tuntap_read_size(const tuntap *dev);

/**
 * Reads one packet that the kernel sends through the device.
 *
 * It is an IP packet (TUN), or an Ethernet frame without its frame check sequence (TAP). The
 * packet-information header comes first if the device has it. The call waits for a packet unless
 * the handle is non-blocking.
 *
 * A packet that is already there costs one system call, a wait three. Neither allocates, except
 * that the first wait of a handle opens an event counter (see Cost). On Darwin
 * one system call reads all waiting frames of a TAP, and later calls return them without another.
 * Use one reading thread for each queue to keep packets in order.
 *
 * Expect packets that the program did not cause: the kernel sends some IPv6 packets through each
 * device that is up, such as router solicitations and multicast listener reports (MLD).
 *
 * With TUNTAP_OFFLOAD each call returns one packet of a super-packet. tuntap_wait sees that packets
 * of it are left; poll does not, so read until -EAGAIN before you poll. tuntap_reader_next is faster.
 *
 * @param dev   The device.
 * @param buf   Receives the packet. After a failure its contents are undefined.
 * @param size  Bytes of buf. Any size that holds the packets is enough; the size of
 *              tuntap_read_size always is.
 * @param err   May be NULL, which skips formatting a message.
 * @return The length of the packet, or
 *         -EAGAIN     no packet, and the handle is non-blocking (_AGAIN);
 *         -EMSGSIZE   the packet was longer than size, and is lost (_BUFFER);
 *         -ECANCELED  no packet, and tuntap_wake was called (_WOKEN);
 *         -ECANCELED  tuntap_shutdown was called (_SHUTDOWN);
 *         -EINTR      a signal handler ran during the wait, even with SA_RESTART
 *                     (_INTERRUPTED);
 *         -ENODEV     the device is gone, or was removed during the wait (_REMOVED);
 *         -EPROTO     a super-packet contradicts its virtio header, and is lost
 *                     (_PACKET);
 *         -ENOMEM     no memory for the first read with TUNTAP_OFFLOAD in a child of fork()
 *                     (_SYSTEM);
 *         -EINVAL     size is too small for the packet-information header (_BUFFER);
 *         -EINVAL     dev or buf is NULL (_ARGUMENT).
 * @since 0.1.0
 */
ssize_t tuntap_read(tuntap *dev, void *buf, size_t size, tuntap_error *err);

/**
 * Reads one packet as tuntap_read does, with a time limit for the wait.
 *
 * The limit replaces the mode of the handle, blocking or non-blocking.
 *
 * @param dev           The device.
 * @param buf           Receives the packet. After a failure its contents are undefined.
 * @param size          Bytes of buf.
 * @param milliseconds  The time limit, on the monotonic clock. 0: does not wait. Negative: no limit.
 * @param err           May be NULL.
 * @return As tuntap_read, without -EAGAIN, or
 *         -ETIMEDOUT  no packet within the time limit (_TIMEOUT).
 * @since 0.1.0
 */
ssize_t tuntap_read_timeout(tuntap *dev, void *buf, size_t size, int32_t milliseconds, tuntap_error *err);

#if !defined(_WIN32)
/**
 * Reads one packet as tuntap_read does, into several buffers, which are filled in order.
 *
 * @param dev    The device.
 * @param parts  The buffers.
 * @param count  The number of buffers: 1 to 1023. More than 15 may cost an allocation.
 * @param err    May be NULL.
 * @return As tuntap_read; or
 *         -EINVAL  count is 0 or above 1023 (_ARGUMENT);
 *         -EINVAL  parts or the address of a buffer is NULL (_ARGUMENT);
 *         -ENOMEM  no memory for more than 15 buffers (_SYSTEM).
 * @since 0.1.0
 */
ssize_t tuntap_readv(tuntap *dev, const struct iovec *parts, size_t count, tuntap_error *err);
#endif

/**
 * Writes one packet to the kernel, which handles it as received through the device.
 *
 * The device must be up. The kernel takes the whole packet or nothing. The call makes one system
 * call and does not allocate.
 *
 * With TUNTAP_PI the kernel alone checks the bytes after that header, by the EtherType in it. It
 * drops invalid packets without an error.
 *
 * @param dev   The device.
 * @param buf   An IP packet (TUN), or an Ethernet frame without its frame check sequence (TAP). The
 *              packet-information header comes first if the device has it.
 * @param size  The length of the packet.
 * @param err   May be NULL, which skips formatting a message.
 * @return size, or
 *         -EAGAIN     no room, and the handle is non-blocking (_AGAIN);
 *         -EAGAIN     no room, and poll cannot see when there is: try again a millisecond later
 *                     (_FULL);
 *         -EINVAL     not a packet for this kind of device; the message says why
 *                     (_PACKET);
 *         -EINVAL     dev or buf is NULL (_ARGUMENT);
 *         -EMSGSIZE   the packet is longer than tuntap_read_size, or than TUNTAP_NAPI_FRAGS allows
 *                     (_PACKET);
 *         -ENETDOWN   the device is down (_DOWN). Linux reports this once it has room
 *                     for the packet. Darwin passes the packet to the host instead;
 *         -EBUSY      this queue is detached, and the device has TUNTAP_NAPI (_BUSY);
 *         -ECANCELED  no room, and tuntap_wake was called (_WOKEN);
 *         -ECANCELED  tuntap_shutdown was called (_SHUTDOWN);
 *         -EINTR      a signal handler ran during the wait, even with SA_RESTART
 *                     (_INTERRUPTED);
 *         -ENODEV     the device is gone (_REMOVED).
 * @since 0.1.0
 */
ssize_t tuntap_write(tuntap *dev, const void *buf, size_t size, tuntap_error *err);

/**
 * Writes one packet as tuntap_write does, with a time limit for the wait.
 *
 * The limit replaces the mode of the handle, blocking or non-blocking. Only a device with a send
 * buffer limit (tuntap_set_sndbuf) can be without room.
 *
 * @param dev           The device.
 * @param buf           The packet.
 * @param size          The length of the packet.
 * @param milliseconds  The time limit, on the monotonic clock. 0: does not wait. Negative: no limit.
 * @param err           May be NULL.
 * @return As tuntap_write, without -EAGAIN, or
 *         -ETIMEDOUT  no room within the time limit (_TIMEOUT).
 * @since 0.1.0
 */
ssize_t tuntap_write_timeout(tuntap *dev, const void *buf, size_t size, int32_t milliseconds, tuntap_error *err);

#if !defined(_WIN32)
/**
 * Writes one packet as tuntap_write does, from several buffers, in order.
 *
 * @param dev    The device.
 * @param parts  The buffers.
 * @param count  The number of buffers: 1 to 1023. With TUNTAP_NAPI_FRAGS at most 18, and each buffer
 *               after the first has 1 to 4096 bytes. With TUNTAP_OFFLOAD more than 15 cost an
 *               allocation.
 * @param err    May be NULL.
 * @return As tuntap_write; or
 *         -EINVAL  count is 0 or above 1023 (_ARGUMENT);
 *         -EINVAL  parts or the address of a buffer is NULL (_ARGUMENT);
 *         -ENOMEM  no memory for more than 15 buffers (_SYSTEM).
 * @since 0.1.0
 */
ssize_t tuntap_writev(tuntap *dev, const struct iovec *parts, size_t count, tuntap_error *err);
#endif

/* ----------------------------------------------------------------------------
 * Waiting
 *
 * Waiting for packets and for room to write, and stopping threads that wait.
 */

/**
 * A packet can be read.
 */
#define TUNTAP_WAIT_READ 0x1

/**
 * There is room to write a packet.
 */
#define TUNTAP_WAIT_WRITE 0x2

/**
 * Waits until a packet can be read or written, and does neither.
 *
 * This adds a time limit to every function that reads or writes. It waits even if the handle is
 * non-blocking. It makes one system call when something is ready. The first wait of a
 * handle opens an event counter (see Cost).
 *
 * Ready means that a call is likely to succeed. When several threads read from one handle, another
 * thread may read the packet first; on a non-blocking handle the call then returns -EAGAIN. A device
 * that is gone is ready for both events, and the call returns -ENODEV.
 *
 * TUNTAP_WAIT_READ is for tuntap_read and its variants. It is also ready while packets of a
 * super-packet are left for the next tuntap_read, which poll on the descriptor cannot see. A wait that
 * has started does not see packets that another thread's read leaves: with TUNTAP_OFFLOAD read each
 * queue from one thread, or use readers. It does not see packets that a reader holds: call
 * tuntap_reader_next, tuntap_reader_batch or tuntap_reader_copy until it returns 0 or -EAGAIN, and
 * then wait.
 *
 * TUNTAP_WAIT_WRITE: room is limited only on a device with a send buffer limit (tuntap_set_sndbuf).
 * On Linux a device that is down is not ready either. On Darwin only a failed write shows that the
 * queue is full; the device is ready again a millisecond later.
 *
 * @param dev           The device.
 * @param events        TUNTAP_WAIT_READ, TUNTAP_WAIT_WRITE, or both to wait for either.
 * @param milliseconds  The time limit, on the monotonic clock. 0: does not wait. Negative: no limit.
 * @param err           May be NULL.
 * @return The events that are ready, more than 0; or
 *         -ETIMEDOUT  no event was ready within the time limit (_TIMEOUT);
 *         -EINTR      a signal handler ran during the wait, even with SA_RESTART
 *                     (_INTERRUPTED);
 *         -ECANCELED  no event was ready, and tuntap_wake was called (_WOKEN);
 *         -ECANCELED  tuntap_shutdown was called (_SHUTDOWN);
 *         -EINVAL     events is 0 or has unknown bits (_FLAGS);
 *         -EINVAL     dev is NULL (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_wait(tuntap *dev, uint32_t events, int32_t milliseconds, tuntap_error *err);

/**
 * Wakes all threads that wait for a packet or for room on this handle.
 *
 * Their calls return -ECANCELED with TUNTAP_REASON_WOKEN.
 *
 * When no thread waits, the wake stays pending, so a thread that is about to wait does not miss it.
 * The next call that finds no packet, no room or no ready event consumes it and returns -ECANCELED
 * with TUNTAP_REASON_WOKEN. This includes calls that would not wait: with TUNTAP_NONBLOCK, or with a
 * time limit of 0. A call that finds something leaves the wake pending. At most one wake is pending:
 * several wakes before a wait end one wait.
 *
 * It does not make the descriptor of tuntap_get_fd readable. A program that polls that descriptor
 * needs another descriptor for wakes. To end threads permanently use tuntap_shutdown.
 *
 * A signal handler may call it, and errno is preserved. Make sure that the handler cannot run after
 * the handle is closed.
 *
 * @param dev  The device. NULL: does nothing.
 * @since 0.1.0
 */
void tuntap_wake(tuntap *dev);

/**
 * Ends reading and writing on the handle permanently.
 *
 * Each call that waits, and each later read, write and wait, returns -ECANCELED with
 * TUNTAP_REASON_SHUTDOWN, even when packets are waiting. It cannot be undone.
 *
 * This holds for all threads, and for the readers and writers of the handle, which keep the packets
 * that they hold. A call that is transferring a packet finishes it. Calls that query or configure the
 * device still work, and so do other handles of the device.
 *
 * To close a handle that threads use, call tuntap_shutdown, wait for the threads to end, and then
 * call tuntap_close.
 *
 * It does not make the descriptor of tuntap_get_fd readable: a program that polls that descriptor
 * needs another one to end the poll.
 *
 * A signal handler may call it, and errno is preserved.
 *
 * @param dev  The device. NULL: does nothing.
 * @since 0.1.0
 */
void tuntap_shutdown(tuntap *dev);

/* ----------------------------------------------------------------------------
 * Interface
 *
 * Up and down, MTU, MAC address, name, queue lengths, counters.
 */

/**
 * Packets may have a partial checksum, which the program must complete. The values are those
 * of Linux's TUN_F_*.
 */
#define TUNTAP_F_CSUM 0x1

/**
 * TCP segmentation over IPv4: TCP may arrive in super-packets.
 */
#define TUNTAP_F_TSO4 0x2

/**
 * TCP segmentation over IPv6: TCP may arrive in super-packets.
 */
#define TUNTAP_F_TSO6 0x4

/**
 * TCP super-packets may have the ECN flags.
 */
#define TUNTAP_F_TSO_ECN 0x8

/**
 * UDP segmentation over IPv4: UDP may arrive in super-packets.
 */
#define TUNTAP_F_USO4 0x20

/**
 * UDP segmentation over IPv6: UDP may arrive in super-packets.
 */
#define TUNTAP_F_USO6 0x40

/**
 * TCP and UDP inside a UDP tunnel (VXLAN, Geneve) may arrive in super-packets of the tunnel.
 */
#define TUNTAP_F_UDP_TUNNEL_GSO 0x80

/**
 * Those super-packets may need a checksum of the tunnel's own UDP header.
 */
#define TUNTAP_F_UDP_TUNNEL_GSO_CSUM 0x100

/**
 * Counters of a device since it was created, from the view of the kernel: it receives (rx)
 * what tuntap_write writes, and transmits (tx) what tuntap_read reads. Later versions may add
 * members at the end.
 *
 * On Linux the bytes of a TAP include the Ethernet headers. They never include the packet
 * information (TUNTAP_PI) or virtio headers. A super-packet counts with its own headers, once.
 */
typedef struct tuntap_stats {
    /**
     * Written packets that the kernel accepted. A super-packet counts as one.
     */
    uint64_t rx_packets;
    /**
     * Packets that were read. A super-packet counts as one.
     */
    uint64_t tx_packets;
    /**
     * Bytes of rx_packets.
     */
    uint64_t rx_bytes;
    /**
     * Bytes of tx_packets.
     */
    uint64_t tx_bytes;
    /**
     * Written packets that were malformed.
     */
    uint64_t rx_errors;
    /**
     * Packets that could not be sent out.
     */
    uint64_t tx_errors;
    /**
     * Written packets that the kernel dropped, for lack of room or because the device was down. A
     * super-packet counts as one: tuntap_writer_get_lost counts packets.
     */
    uint64_t rx_dropped;
    /**
     * Packets that were not read, because the queue was full or no queue was attached.
     */
    uint64_t tx_dropped;
} tuntap_stats;

/**
 * Brings the device up. Linux: RTM_SETLINK.
 *
 * @param dev  The device.
 * @param err  May be NULL.
 * @return 0, even if it is already up, or
 *         -EINVAL  dev is NULL (_ARGUMENT);
 *         -EPERM   this needs CAP_NET_ADMIN (_PRIVILEGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_up(tuntap *dev, tuntap_error *err);

/**
 * Takes the device down. Packets in its queue can still be read. It keeps its IPv4 addresses.
 * Linux removes its routes, and its IPv6 addresses unless the sysctl
 * net.ipv6.conf.NAME.keep_addr_on_down is set.
 *
 * @param dev  The device.
 * @param err  May be NULL.
 * @return 0, even if it is already down, or
 *         -EINVAL  dev is NULL (_ARGUMENT);
 *         -EPERM   this needs CAP_NET_ADMIN (_PRIVILEGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_down(tuntap *dev, tuntap_error *err);

/**
 * Gets whether the device is up (IFF_UP).
 *
 * @param dev  The device.
 * @param up   Receives 1 if it is up, 0 if it is down.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL  dev or up is NULL (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_up(const tuntap *dev, int *up, tuntap_error *err);

/**
 * Gets the MTU: the size of the largest IP packet. A frame of a TAP is 14 bytes longer,
 * plus 4 for a VLAN tag. To size a buffer, use tuntap_read_size.
 *
 * @param dev  The device.
 * @param mtu  Receives the MTU in bytes.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL  dev or mtu is NULL (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_mtu(const tuntap *dev, uint32_t *mtu, tuntap_error *err);

/**
 * Gets the range of the MTU.
 *
 * @param dev  The device.
 * @param min  Receives the minimum. Linux: 68. Below 1280 a device has no IPv6.
 * @param max  Receives the maximum. Linux: 65535, and 65521 for a TAP.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL      dev, min or max is NULL (_ARGUMENT);
 *         -EOPNOTSUPP  before Linux 4.19 (_KERNEL);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_mtu_range(const tuntap *dev, uint32_t *min, uint32_t *max, tuntap_error *err);

/**
 * Sets the MTU.
 *
 * @param dev  The device.
 * @param mtu  In bytes. Linux: 68 to 65535, and to 65521 for a TAP. Below 1280 a device
 *             has no IPv6.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL  dev is NULL (_ARGUMENT);
 *         -EINVAL  mtu is out of range (_RANGE);
 *         -EPERM   this needs CAP_NET_ADMIN (_PRIVILEGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_mtu(tuntap *dev, uint32_t mtu, tuntap_error *err);

/**
 * Gets the MAC address of a TAP. Linux gives a new TAP a random one, with the bit that marks it as
 * locally administered.
 *
 * @param dev  The device.
 * @param mac  Receives TUNTAP_MAC_SIZE (6) bytes.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL      dev or mac is NULL (_ARGUMENT);
 *         -EOPNOTSUPP  the device is a TUN, which has no MAC address (_KIND);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_mac(const tuntap *dev, uint8_t *mac, tuntap_error *err);

/**
 * Sets the MAC address of a TAP, which can be up or down.
 *
 * @param dev  The device.
 * @param mac  TUNTAP_MAC_SIZE (6) bytes. Not a group address (odd first byte) and not all
 *             zeros.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL      dev or mac is NULL (_ARGUMENT);
 *         -EINVAL      mac is a group address or all zeros (_ADDRESS);
 *         -EOPNOTSUPP  the device is a TUN, which has no MAC address (_KIND);
 *         -EPERM       this needs CAP_NET_ADMIN (_PRIVILEGE);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_mac(tuntap *dev, const uint8_t *mac, tuntap_error *err);

/**
 * Renames the device. Handles and monitors follow it. Before Linux 6.2 the device must be
 * down.
 *
 * @param dev   The device.
 * @param name  The new name, as for tuntap_open, but not a pattern.
 * @param err   May be NULL.
 * @return 0, or
 *         -EINVAL  dev or name is NULL (_ARGUMENT);
 *         -EINVAL  name is not valid (_NAME);
 *         -EEXIST  the name is in use (_BUSY);
 *         -EBUSY   the device is up, before Linux 6.2 (_BUSY);
 *         -EPERM   this needs CAP_NET_ADMIN (_PRIVILEGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_name(tuntap *dev, const char *name, tuntap_error *err);

/**
 * Gets the alias of the device: a text for people, which has no effect.
 *
 * @param dev   The device.
 * @param buf   Receives the alias: the bytes of the kernel. Empty if there is none.
 * @param size  Bytes of buf. TUNTAP_ALIAS_SIZE is always enough.
 * @param err   May be NULL.
 * @return 0, or
 *         -EINVAL  dev or buf is NULL (_ARGUMENT);
 *         -ERANGE  buf is too small (_BUFFER);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_alias(const tuntap *dev, char *buf, size_t size, tuntap_error *err);

/**
 * Sets the alias of the device.
 *
 * @param dev    The device.
 * @param alias  Up to 255 bytes. "" removes the alias.
 * @param err    May be NULL.
 * @return 0, or
 *         -EINVAL  dev or alias is NULL (_ARGUMENT);
 *         -EINVAL  alias is too long (_RANGE);
 *         -EPERM   this needs CAP_NET_ADMIN (_PRIVILEGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_alias(tuntap *dev, const char *alias, tuntap_error *err);

/**
 * Gets whether the device has a carrier, as set by tuntap_set_carrier. A new device has
 * one. On Linux a persistent device that is not open has none.
 *
 * @param dev  The device.
 * @param on   Receives 1 if it has a carrier, 0 if not.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL  dev or on is NULL (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_carrier(const tuntap *dev, int *on, tuntap_error *err);

/**
 * Turns the carrier on or off, like plugging in or unplugging a cable. Without a carrier
 * the device keeps its addresses and routes, and the kernel sends nothing through it.
 * Needs no privilege on a device that the caller has open. Linux 5.0 or later:
 * TUNSETCARRIER.
 *
 * @param dev  The device.
 * @param on   0: off. Not 0: on.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL      dev is NULL (_ARGUMENT);
 *         -EPERM       on is not 0, and all queues are detached (_PRIVILEGE);
 *         -EOPNOTSUPP  before Linux 5.0 (_KERNEL);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_carrier(tuntap *dev, int on, tuntap_error *err);

/**
 * Gets the transmit queue length: the number of packets that each queue holds for
 * tuntap_read. The kernel drops packets beyond it.
 *
 * @param dev      The device.
 * @param packets  Receives the number. A new TUN has 500, a new TAP 1000.
 * @param err      May be NULL.
 * @return 0, or
 *         -EINVAL  dev or packets is NULL (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_txqueuelen(const tuntap *dev, uint32_t *packets, tuntap_error *err);

/**
 * Sets the transmit queue length. Packets that do not fit in a shorter queue are dropped,
 * and no counter of the kernel includes them. With a length of 0 the device drops every packet.
 *
 * @param dev      The device.
 * @param packets  For each queue. The kernel allocates 8 bytes for each packet at once (4 on 32-bit
 *                 processors). On x86-64 and most 64-bit processors the limit is 4 MiB: 524288
 *                 packets.
 * @param err      May be NULL.
 * @return 0, or
 *         -EINVAL  dev is NULL (_ARGUMENT);
 *         -ENOMEM  no memory, or packets is above the limit (_SYSTEM);
 *         -ERANGE  newer kernels: packets is above the limit (_SYSTEM);
 *         -EPERM   this needs CAP_NET_ADMIN (_PRIVILEGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_txqueuelen(tuntap *dev, uint32_t packets, tuntap_error *err);

/**
 * Gets the send buffer: the number of bytes of written packets that the kernel may still
 * be processing, for each queue, before tuntap_write waits.
 *
 * @param dev    The device.
 * @param bytes  Receives the number. A new device has 2147483647, which is no limit.
 * @param err    May be NULL.
 * @return 0, or
 *         -EINVAL  dev or bytes is NULL (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_sndbuf(const tuntap *dev, uint32_t *bytes, tuntap_error *err);

/**
 * Sets the send buffer of the device, for all queues. Needs no privilege on a device that
 * the caller has open. Linux: TUNSETSNDBUF.
 *
 * @param dev    The device.
 * @param bytes  1 to 2147483647.
 * @param err    May be NULL.
 * @return 0, or
 *         -EINVAL  dev is NULL (_ARGUMENT);
 *         -EINVAL  bytes is out of range (_RANGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_sndbuf(tuntap *dev, uint32_t bytes, tuntap_error *err);

/**
 * Gets the counters of the device.
 *
 * @param dev    The device.
 * @param stats  Receives the counters.
 * @param size   sizeof(tuntap_stats).
 * @param err    May be NULL.
 * @return 0, or
 *         -EINVAL  dev or stats is NULL (_ARGUMENT);
 *         -EINVAL  size is too small, or over 4096 (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_stats(const tuntap *dev, tuntap_stats *stats, size_t size, tuntap_error *err);

/**
 * Gets the offloads of the device that are turned on. They belong to the device, for all
 * queues, and a persistent device keeps them after its last handle is closed. Any process
 * can have set them. Linux: the features that `ethtool -k` shows.
 *
 * @param dev       The device.
 * @param offloads  Receives TUNTAP_F_*.
 * @param err       May be NULL.
 * @return 0, or
 *         -EINVAL  dev or offloads is NULL (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_offloads(const tuntap *dev, uint64_t *offloads, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Master
 *
 * The bridge, or another interface, that the device is a port of.
 */

/**
 * Gets the name of the bridge, or of another interface, that the device is a port of.
 *
 * @param dev   The device.
 * @param buf   Receives the name.
 * @param size  Bytes of buf. TUNTAP_NAME_SIZE is always enough.
 * @param err   May be NULL.
 * @return 0, or
 *         -ENOENT      the device is not a port (_UNSET);
 *         -ERANGE      buf is too small (_BUFFER);
 *         -EINVAL      dev or buf is NULL (_ARGUMENT);
 *         -EOPNOTSUPP  Darwin (_PLATFORM);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_master(const tuntap *dev, char *buf, size_t size, tuntap_error *err);

/**
 * Makes the device a port of a bridge, or of another interface: a VRF, for example.
 *
 * A port of a bridge should have no addresses: they belong to the bridge. A bridge only takes a TAP.
 *
 * Linux: RTM_SETLINK, as `ip link set dev NAME master BRIDGE`.
 *
 * @param dev     The device.
 * @param master  The name of the bridge, in the network namespace of the device. NULL or "": none; the
 *                device is no longer a port.
 * @param err     May be NULL.
 * @return 0, even if the device is already that port; or
 *         -ENODEV      there is no interface with this name (_ABSENT);
 *         -EINVAL      master is not a valid name (_NAME);
 *         -EINVAL      dev is NULL (_ARGUMENT);
 *         -EINVAL      the kernel refuses: the bridge does not take a TUN, for example
 *                      (_SYSTEM);
 *         -EPERM       CAP_NET_ADMIN is needed (_PRIVILEGE);
 *         -EOPNOTSUPP  the interface cannot have ports (_SYSTEM);
 *         -EOPNOTSUPP  Darwin (_PLATFORM);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_master(tuntap *dev, const char *master, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * IPv6
 *
 * How the kernel configures IPv6 on the device by itself.
 */

/**
 * Router advertisements: 0 ignores them, 1 accepts them unless the host forwards packets, and 2
 * accepts them always.
 */
#define TUNTAP_IPV6_ACCEPT_RA 1

/**
 * How the addresses are generated that the system adds by itself: 0 from the MAC address
 * (EUI-64), 1 none, not even a link-local one, 2 stable and opaque (RFC 7217, needs the sysctl
 * stable_secret), 3 as 2, from a secret of the kernel.
 */
#define TUNTAP_IPV6_ADDR_GEN_MODE 2

/**
 * 1 disables IPv6 on the device and removes its IPv6 addresses and routes. 0 enables it.
 */
#define TUNTAP_IPV6_DISABLE 3

/**
 * Gets a setting of IPv6 on the device.
 *
 * Needs no privilege. Linux: RTM_GETLINK.
 *
 * @param dev      The device.
 * @param setting  A TUNTAP_IPV6_*.
 * @param value    Receives the value.
 * @param err      May be NULL.
 * @return 0, or
 *         -EINVAL      dev or value is NULL, or the setting is unknown (_ARGUMENT);
 *         -EOPNOTSUPP  the kernel has no IPv6, or the MTU of the device is below 1280
 *                      (_KERNEL);
 *         -EOPNOTSUPP  Darwin (_PLATFORM);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_ipv6(const tuntap *dev, uint32_t setting, uint32_t *value, tuntap_error *err);

/**
 * Sets a setting of IPv6 on the device.
 *
 * The settings return to the defaults of the system when the device is moved to another network
 * namespace, or when its MTU falls below 1280.
 *
 * To set TUNTAP_IPV6_ADDR_GEN_MODE and TUNTAP_IPV6_ACCEPT_RA before they have an effect, do so before
 * tuntap_up.
 *
 * Linux: RTM_SETLINK for TUNTAP_IPV6_ADDR_GEN_MODE. For the others, writes to
 * /proc/sys/net/ipv6/conf/NAME, which must be mounted and writable: many containers have it
 * read-only.
 *
 * @param dev      The device.
 * @param setting  A TUNTAP_IPV6_*.
 * @param value    The value.
 * @param err      May be NULL.
 * @return 0, even if the device already has the value; or
 *         -EINVAL      the value is not valid for this setting (_RANGE);
 *         -EINVAL      dev is NULL, or the setting is unknown (_ARGUMENT);
 *         -EINVAL      the kernel refuses the value: 2 without a stable_secret, for example
 *                      (_SYSTEM);
 *         -EACCES, -EPERM  CAP_NET_ADMIN is needed (_PRIVILEGE);
 *         -ENOENT      /proc is not mounted (_SYSTEM);
 *         -EROFS       /proc/sys is read-only (_SYSTEM);
 *         -EBUSY       the device was renamed during the call (_BUSY);
 *         -EOPNOTSUPP  the kernel has no IPv6, or the MTU of the device is below 1280
 *                      (_KERNEL);
 *         -EOPNOTSUPP  Darwin (_PLATFORM);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_ipv6(tuntap *dev, uint32_t setting, uint32_t value, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Addresses
 *
 * IPv4 and IPv6 addresses of a device: all of them, or the first one.
 */

/**
 * Argument flags of tuntap_add_addr, tuntap_add_route, tuntap_config_add_addr and
 * tuntap_config_add_route: the address or the route replaces the existing one with the same
 * key. The key of an IPv4 address is the address itself, its prefix length, and the network
 * of its peer (without a peer: its own network); of an IPv6 address, the address; of a
 * route, its destination, metric and table.
 */
#define TUNTAP_REPLACE 0x1

/**
 * A flag of tuntap_addr.flags, like all TUNTAP_ADDR_*. IPv6: the address is used at once,
 * without duplicate address detection. This is always so on a TUN, which has no neighbours.
 */
#define TUNTAP_ADDR_NODAD 0x1

/**
 * No route to the network of the address is added.
 */
#define TUNTAP_ADDR_NOPREFIXROUTE 0x2

/**
 * Reported only: duplicate address detection is in progress, and the address is not used
 * yet.
 */
#define TUNTAP_ADDR_TENTATIVE 0x4

/**
 * Reported only: duplicate address detection found the address on another host, so it is not
 * used.
 */
#define TUNTAP_ADDR_DADFAILED 0x8

/**
 * The preferred lifetime is over: new connections do not use the address.
 */
#define TUNTAP_ADDR_DEPRECATED 0x10

/**
 * Reported only: for IPv4, the address is not the first one of its network; for IPv6, it is
 * a temporary address.
 */
#define TUNTAP_ADDR_SECONDARY 0x20

/**
 * Reported only: the kernel created the address, or it has a lifetime.
 */
#define TUNTAP_ADDR_DYNAMIC 0x40

/**
 * IPv4, on a TAP: the address has no broadcast address.
 */
#define TUNTAP_ADDR_NOBROADCAST 0x80

/**
 * Valid everywhere.
 */
#define TUNTAP_SCOPE_GLOBAL 1

/**
 * Valid on the link.
 */
#define TUNTAP_SCOPE_LINK 2

/**
 * Valid on the host.
 */
#define TUNTAP_SCOPE_HOST 3

/**
 * Valid in the site, or in a scope that the administrator has defined.
 */
#define TUNTAP_SCOPE_SITE 4

/**
 * The family of IPv4 addresses. 4 on every system, unlike AF_INET.
 */
#define TUNTAP_IPV4 4

/**
 * The family of IPv6 addresses.
 */
#define TUNTAP_IPV6 6

/**
 * An address of a device. tuntap_add_addr and tuntap_del_addr take what tuntap_list_addrs reports.
 * The shortest request is a zeroed structure with a text in addr. For an address in binary form,
 * let inet_ntop(3) write addr, and set prefix. Later versions may add members at the end, which is
 * why each function takes the size.
 */
typedef struct tuntap_addr {
    /**
     * TUNTAP_IPV4 or TUNTAP_IPV6. Request: 0 for the family of addr.
     */
    uint32_t family;
    /**
     * The prefix length in bits. Request: 0 for the prefix length in addr.
     */
    uint32_t prefix;
    /**
     * A TUNTAP_SCOPE_*. Request: 0 for the default, which is TUNTAP_SCOPE_HOST for an IPv4 loopback
     * address and TUNTAP_SCOPE_GLOBAL for any other. The kernel derives the scope of an IPv6
     * address from the address, and a request for one is ignored.
     */
    uint32_t scope;
    /**
     * The metric of the route to the network of the address. 0: the default. Needs Linux 4.18.
     */
    uint32_t metric;
    /**
     * TUNTAP_ADDR_*.
     */
    uint64_t flags;
    /**
     * Valid lifetime: seconds until the address is removed. 0: it does not expire.
     */
    uint32_t valid;
    /**
     * Preferred lifetime: seconds until new connections no longer use the address. 0: the valid
     * lifetime, or none with TUNTAP_ADDR_DEPRECATED.
     */
    uint32_t preferred;
    /**
     * The origin of the address: IFAPROT_*, where 3 is the kernel's link-local address. 0: unknown.
     * Since Linux 5.18; ignored before.
     */
    uint32_t protocol;
    /**
     * Must be 0.
     */
    uint32_t reserved;
    /**
     * The address with its prefix length, such as "10.8.0.1/24" or "fd00::1/64". Request: without a
     * prefix length, the address has the one that it already has on the device, or else that of a
     * single host: 32 or 128. Without a prefix length but with a peer, it is 32 or 128.
     */
    char addr[TUNTAP_ADDR_SIZE];
    /**
     * The peer: the other end of a point-to-point link, such as "10.8.0.2". The prefix length then
     * describes the network of the peer: addr "10.8.0.6" with peer "10.8.0.5" is
     * `ip addr add 10.8.0.6 peer 10.8.0.5/32`, and OpenVPN's `ifconfig 10.8.0.6 10.8.0.5`.
     * "": no peer.
     */
    char peer[TUNTAP_ADDR_SIZE];
    /**
     * The IPv4 broadcast address. "": none. Request: "" for the default, which on a TAP is the
     * broadcast address of the network.
     */
    char broadcast[TUNTAP_ADDR_SIZE];
    /**
     * IPv4: the interface name that old programs show for the address, such as "tap0:1"; at most
     * 15 bytes. Request: "" for the name of the device.
     */
    char label[TUNTAP_ADDR_SIZE];
} tuntap_addr;

/**
 * Adds an IPv4 or IPv6 address to the device.
 *
 * The other addresses stay.
 *
 * A member that is 0 or "" requests nothing, except valid and preferred: 0 there requests an address
 * that does not expire. When the device already has the address with everything that is requested,
 * nothing changes. A request with a lifetime therefore never matches an existing address.
 *
 * Without a prefix length, "10.8.0.6" adds a single host, 10.8.0.6/32. If the device already has
 * 10.8.0.6 with any prefix length, and no peer is requested, its prefix length stays. tuntap_del_addr
 * is different: without a prefix length it removes 10.8.0.6 with every prefix length.
 *
 * A device has one address with each key. The key of an IPv4 address is the address itself, its prefix
 * length, and the network of its peer (without a peer: its own network). So 10.8.0.6 peer 10.8.0.5 and
 * 10.8.0.6 peer 10.8.0.9 have different keys, and so have 10.8.0.6/24 and 10.8.0.6/16. The key of an
 * IPv6 address is the address alone.
 *
 * When the device has an address with the same key and other properties, the call fails with -EEXIST.
 * With TUNTAP_REPLACE the new address replaces the existing one instead, and properties that are not
 * requested stay as they were. Linux changes lifetimes, metric and protocol in place, and for IPv6 also
 * the flags. For any other change, and for each change on Darwin, the library deletes the old address
 * first and restores it when the new one cannot be added.
 *
 * Linux: RTM_NEWADDR. A TAP also gets the broadcast address of an IPv4 network. While the device is
 * up, the kernel adds a route to the network.
 *
 * Darwin: SIOCAIFADDR. The library adds the route to the network of an IPv4 address of a TUN, and
 * removes it with the address. An address without a peer is its own peer. A prefix length of 0 and an
 * IPv6 peer with a prefix length other than 128 are -EINVAL (TUNTAP_REASON_ADDRESS). These are
 * -EOPNOTSUPP (TUNTAP_REASON_PLATFORM): a peer on a TAP, lifetimes, a label, a metric, a protocol,
 * and a scope or broadcast address other than the default. The first address of a family brings
 * the device up; on a TAP each IPv4 address does. The first IPv6 address also adds a link-local one.
 * The route to the network of an IPv6 address stays for a second or two after the address is removed.
 *
 * @param dev    The device.
 * @param addr   The address. Flags that are only reported are ignored.
 * @param size   sizeof(tuntap_addr).
 * @param flags  0, or TUNTAP_REPLACE.
 * @param err    May be NULL.
 * @return 0, even if the device already has this address; or
 *         -EINVAL      addr is unspecified, multicast or the IPv4 broadcast address, or family or
 *                      prefix contradicts it (_ADDRESS);
 *         -EINVAL      unknown flags (_FLAGS);
 *         -EINVAL      preferred is longer than valid, the label or the protocol is too large, or
 *                      the MTU is below 1280 and the address IPv6 (_RANGE);
 *         -EINVAL      a label or broadcast address with IPv6, an unknown family or scope, or
 *                      reserved is not 0 (_ARGUMENT);
 *         -EINVAL      dev or addr is NULL, or size is too small (_ARGUMENT);
 *         -EEXIST      the device has a conflicting address (_BUSY);
 *         -EPERM       CAP_NET_ADMIN is needed (_PRIVILEGE);
 *         -EACCES      IPv6 is disabled on the device (_SYSTEM);
 *         -EOPNOTSUPP  the kernel has no IPv6 (_SYSTEM);
 *         -EOPNOTSUPP  Darwin does not have what is requested (_PLATFORM);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_add_addr(tuntap *dev, const tuntap_addr *addr, size_t size, uint64_t flags, tuntap_error *err);

/**
 * Removes an address from the device.
 *
 * The other addresses stay. On failure all addresses stay.
 *
 * Without a prefix length, each entry of the address is removed: with any prefix length, and without a
 * peer in the request also with any peer. tuntap_add_addr is different: without a prefix length it adds
 * a single host, /32 or /128.
 *
 * Linux: with the first IPv4 address of a network the kernel removes the others of that network. The
 * library adds those again, with their labels and lifetimes. IPv4 routes through them are lost.
 *
 * @param dev   The device.
 * @param addr  The address. Only family, prefix, addr and peer are read. Without a prefix length, any
 *              prefix length and, unless a peer is given, any peer matches. With a prefix length and
 *              without a peer, the address without a peer is removed; if there is none, any peer
 *              matches.
 * @param size  sizeof(tuntap_addr).
 * @param err   May be NULL.
 * @return 0, or
 *         -ENOENT  the device does not have the address (_UNSET);
 *         -EINVAL  addr is not the address of a host, or family or prefix contradicts it
 *                  (_ADDRESS);
 *         -EINVAL  an unknown family (_ARGUMENT);
 *         -EINVAL  dev or addr is NULL, or size is too small (_ARGUMENT);
 *         -EPERM   CAP_NET_ADMIN is needed (_PRIVILEGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_del_addr(tuntap *dev, const tuntap_addr *addr, size_t size, tuntap_error *err);

/**
 * Lists the addresses of the device: IPv4 before IPv6, each in the order of the kernel.
 *
 * The kernel lists the newest IPv6 address of a scope first.
 *
 * @param dev    The device.
 * @param addrs  Receives the first `count` addresses. NULL with a count of 0: only the number is
 *               returned.
 * @param count  Elements of addrs.
 * @param size   sizeof(tuntap_addr): the distance between two elements.
 * @param err    May be NULL.
 * @return The number of addresses, which may be larger than count; or
 *         -EINVAL  dev is NULL, addrs is NULL and count is not 0, or size is too small
 *                  (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
ssize_t tuntap_list_addrs(const tuntap *dev, tuntap_addr *addrs, size_t count, size_t size, tuntap_error *err);

/**
 * Gets the first IPv4 address of the device, without its prefix length: see tuntap_get_netmask.
 *
 * For IPv6 and for further addresses use tuntap_list_addrs.
 *
 * @param dev   The device.
 * @param buf   Receives the address, such as "10.8.0.1".
 * @param size  Bytes of buf; TUNTAP_ADDR_SIZE is always enough.
 * @param err   May be NULL.
 * @return 0, or
 *         -ENOENT  the device has no IPv4 address (_UNSET);
 *         -EINVAL  dev or buf is NULL (_ARGUMENT);
 *         -ERANGE  buf is too small (_BUFFER);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_addr(const tuntap *dev, char *buf, size_t size, tuntap_error *err);

/**
 * Makes an address the only one of its family on the device.
 *
 * On failure the addresses and prefix lengths are as before.
 *
 * The library removes the other addresses first, and then adds this one if the device does not have
 * it. So there is a moment without an address, in which packets are lost. To change an address without
 * such a moment:
 * 1. add the new address with tuntap_add_addr;
 * 2. replace the routes that have the old address as source or its peer as gateway:
 *    tuntap_add_route with TUNTAP_REPLACE;
 * 3. delete the old address with tuntap_del_addr.
 *
 * This does not work for two IPv4 addresses of the same network: see tuntap_del_addr.
 *
 * IPv6 link-local addresses (fe80::/10) are a family by themselves here: a link-local address replaces
 * only link-local addresses, and any other IPv6 address replaces only the others.
 *
 * Linux: RTM_NEWADDR. Routes through the removed addresses are removed with them. A TAP also gets
 * the broadcast address of an IPv4 network. While the device is up, the kernel adds a route to the
 * network.
 *
 * @param dev   The device.
 * @param addr  "10.8.0.1/24", "fd00::1/64". Without a prefix length, the address has the one that it
 *              already has on the device, or else that of a single host: 32 or 128.
 * @param err   May be NULL.
 * @return 0, or
 *         -EINVAL  addr is not the address of a host (_ADDRESS);
 *         -EINVAL  the MTU is below 1280 and the address IPv6 (_RANGE);
 *         -EINVAL  dev or addr is NULL (_ARGUMENT);
 *         -EPERM   CAP_NET_ADMIN is needed (_PRIVILEGE);
 *         -EACCES  IPv6 is disabled on the device (_SYSTEM);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_addr(tuntap *dev, const char *addr, tuntap_error *err);

/**
 * Gets the peer of the first IPv4 address: the address of the other end of a point-to-point link.
 *
 * @param dev   The device.
 * @param buf   Receives the address, such as "10.8.0.2".
 * @param size  Bytes of buf; TUNTAP_ADDR_SIZE is always enough.
 * @param err   May be NULL.
 * @return 0, or
 *         -ENOENT  the device has no IPv4 address, or the first one has no peer
 *                  (_UNSET);
 *         -EINVAL  dev or buf is NULL (_ARGUMENT);
 *         -ERANGE  buf is too small (_BUFFER);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_dstaddr(const tuntap *dev, char *buf, size_t size, tuntap_error *err);

/**
 * Sets the peer of the first IPv4 address.
 *
 * The prefix length stays, and then describes the network of the peer. On failure the addresses
 * and prefix lengths are as before.
 *
 * Linux: the library removes all IPv4 addresses of the device and adds them again. Those that do not
 * change keep their labels and lifetimes. IPv4 routes through the device are lost.
 *
 * @param dev      The device.
 * @param dstaddr  The peer, such as "10.8.0.2", without a prefix length. The address of the device
 *                 removes the peer.
 * @param err      May be NULL.
 * @return 0, or
 *         -ENOENT  the device has no IPv4 address (_UNSET);
 *         -EINVAL  dstaddr is not the IPv4 address of a host (_ADDRESS);
 *         -EINVAL  dev or dstaddr is NULL (_ARGUMENT);
 *         -EPERM   CAP_NET_ADMIN is needed (_PRIVILEGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_dstaddr(tuntap *dev, const char *dstaddr, tuntap_error *err);

/**
 * Gets the netmask of the first IPv4 address.
 *
 * @param dev   The device.
 * @param buf   Receives the netmask, such as "255.255.255.0".
 * @param size  Bytes of buf; TUNTAP_ADDR_SIZE is always enough.
 * @param err   May be NULL.
 * @return 0, or
 *         -ENOENT  the device has no IPv4 address (_UNSET);
 *         -EINVAL  dev or buf is NULL (_ARGUMENT);
 *         -ERANGE  buf is too small (_BUFFER);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_get_netmask(const tuntap *dev, char *buf, size_t size, tuntap_error *err);

/**
 * Sets the netmask of the first IPv4 address.
 *
 * On failure the addresses and prefix lengths are as before.
 *
 * Linux: the library removes all IPv4 addresses of the device and adds them again. Those that do not
 * change keep their labels and lifetimes. IPv4 routes through the device are lost.
 *
 * @param dev      The device.
 * @param netmask  The netmask, such as "255.255.255.0". Its one bits come before its zero bits.
 * @param err      May be NULL.
 * @return 0, or
 *         -ENOENT  the device has no IPv4 address (_UNSET);
 *         -EINVAL  netmask is not a netmask (_ADDRESS);
 *         -EINVAL  dev or netmask is NULL (_ARGUMENT);
 *         -EPERM   CAP_NET_ADMIN is needed (_PRIVILEGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_netmask(tuntap *dev, const char *netmask, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Routes
 *
 * Routes through a device.
 */

/**
 * The gateway is on the link, even if it is in none of the device's networks. Without this
 * flag the kernel refuses such a gateway.
 */
#define TUNTAP_ROUTE_ONLINK 0x1

/**
 * Reported only: the route has attributes that a tuntap_route does not have.
 */
#define TUNTAP_ROUTE_PARTIAL 0x2

/**
 * Packets are sent to one destination.
 */
#define TUNTAP_ROUTE_TYPE_UNICAST 0

/**
 * Packets are for this host.
 */
#define TUNTAP_ROUTE_TYPE_LOCAL 1

/**
 * IPv4: packets are sent to all hosts on the link.
 */
#define TUNTAP_ROUTE_TYPE_BROADCAST 2

/**
 * IPv6: packets are for this host, which is one of several with the address.
 */
#define TUNTAP_ROUTE_TYPE_ANYCAST 3

/**
 * Packets are sent to a multicast group.
 */
#define TUNTAP_ROUTE_TYPE_MULTICAST 4

/**
 * A route through a device. tuntap_del_route takes what tuntap_list_routes reports, and so does
 * tuntap_add_route unless TUNTAP_ROUTE_PARTIAL is set. The shortest request is a zeroed structure
 * with a text in destination. For a destination in binary form, let inet_ntop(3) write destination,
 * and set prefix. Later versions may add members at the end, which is why each function takes the
 * size.
 */
typedef struct tuntap_route {
    /**
     * TUNTAP_IPV4 or TUNTAP_IPV6. Request: 0 for the family of destination.
     */
    uint32_t family;
    /**
     * The prefix length in bits. Request: 0 for the prefix length in destination.
     */
    uint32_t prefix;
    /**
     * The metric: of several routes to the same destination, the one with the lowest metric is
     * used. Request: 0 for the default; on Linux that is 0 for IPv4 and 1024 for IPv6.
     */
    uint32_t metric;
    /**
     * The number of the routing table. Request: 0 for the main table, which is 254 on Linux.
     */
    uint32_t table;
    /**
     * TUNTAP_ROUTE_*.
     */
    uint64_t flags;
    /**
     * A TUNTAP_ROUTE_TYPE_*: what the system does with a packet.
     */
    uint32_t type;
    /**
     * The origin of the route. Linux: RTPROT_*, such as 2 for the kernel, 3 for the boot, 4 for an
     * administrator. Request: when a route is added, 0 is 4; in tuntap_del_route, 0 matches any.
     */
    uint32_t protocol;
    /**
     * A TUNTAP_SCOPE_*: the distance of the destination. IPv6: always TUNTAP_SCOPE_GLOBAL.
     * Request: when a route is added, 0 is TUNTAP_SCOPE_GLOBAL with a gateway and TUNTAP_SCOPE_LINK
     * without; in tuntap_del_route, 0 matches any.
     */
    uint32_t scope;
    /**
     * The MTU of the route in bytes, at most 65520. 0: the MTU of the device.
     */
    uint32_t mtu;
    /**
     * The destination with its prefix length, such as "10.9.0.0/16". "0.0.0.0/0" and "::/0" are the
     * default routes: "default" is not accepted. Request: without a prefix length it is a single
     * host.
     */
    char destination[TUNTAP_ADDR_SIZE];
    /**
     * The gateway: the next hop on the link, such as "10.8.0.2". "": none. Since Linux 5.2 an IPv4
     * destination can have an IPv6 gateway. It must be in the network of an address of the device:
     * with a short prefix length, such as 10.0.0.1/8, many gateways are valid. For any other gateway
     * set TUNTAP_ROUTE_ONLINK.
     */
    char gateway[TUNTAP_ADDR_SIZE];
    /**
     * The source address of packets whose sender has not chosen one. "": the system chooses.
     */
    char source[TUNTAP_ADDR_SIZE];
    /**
     * The index of the interface: see if_indextoname(3). Only tuntap_find_route reports it. In a
     * request it must be 0.
     */
    uint32_t index;
    /**
     * Must be 0.
     */
    uint32_t reserved;
} tuntap_route;

/**
 * Adds a route through the device, which must be up.
 *
 * The route is removed when the device goes down.
 *
 * When the device already has the route with everything that is requested, nothing changes. A
 * protocol or scope of 0 requests nothing; all other members must be equal. A route with attributes
 * that a tuntap_route does not have, such as a type of service, several next hops or an
 * encapsulation, is never equal.
 *
 * A destination, metric and table can have only one route. When another route has them, the call
 * fails with -EEXIST. With TUNTAP_REPLACE the new route replaces that route instead, but never one
 * through another interface. Linux replaces it in one step. On Darwin the library deletes the old
 * route first and restores it when the new one cannot be added.
 *
 * Linux: RTM_NEWROUTE. A route with an IPv4 destination and an IPv6 gateway needs Linux 5.2.
 *
 * Darwin: RTM_ADD. A route consists of a destination and a gateway. Any other attribute is
 * -EOPNOTSUPP. A destination can have only one route, even if that leads through another
 * interface. The device needs an address of the route's family.
 *
 * @param dev    The device.
 * @param route  The route.
 * @param size   sizeof(tuntap_route).
 * @param flags  0, or TUNTAP_REPLACE.
 * @param err    May be NULL.
 * @return 0, even if the device already has this route; or
 *         -EINVAL       destination has bits set after its prefix, an address is not valid, or the
 *                       families or prefix lengths contradict each other (_ADDRESS);
 *         -EINVAL       unknown flags, or flags of the route that cannot be requested
 *                       (_FLAGS);
 *         -EINVAL       an unknown type, scope or family, or Linux: table is 255, the local table,
 *                       which the kernel maintains (_ARGUMENT);
 *         -EINVAL       protocol is above 255, or mtu above 65520 (_RANGE);
 *         -EINVAL       dev or route is NULL, or size is too small (_ARGUMENT);
 *         -EINVAL       the MTU is below 1280 and the route is IPv6 (_RANGE);
 *         -ENETDOWN     the device is down (_DOWN);
 *         -EEXIST       another route has this destination, metric and table (_BUSY);
 *         -EPERM        CAP_NET_ADMIN is needed (_PRIVILEGE);
 *         -ENETUNREACH  or another errno: the kernel refuses the gateway or the source
 *                       (_SYSTEM). A gateway that is in no network of the device needs
 *                       TUNTAP_ROUTE_ONLINK;
 *         -ENETUNREACH  Darwin: the device has no address of the family (_ARGUMENT);
 *         -EOPNOTSUPP   an IPv4 route with an IPv6 gateway, before Linux 5.2 (_KERNEL);
 *         -EOPNOTSUPP   Darwin does not have what is requested (_PLATFORM);
 *         -ENODEV       the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_add_route(tuntap *dev, const tuntap_route *route, size_t size, uint64_t flags, tuntap_error *err);

/**
 * Deletes a route through the device.
 *
 * It need not have been added by this library.
 *
 * @param dev    The device.
 * @param route  The route, as for tuntap_add_route: all members must be equal. A route that the
 *               kernel added for an address also matches without its source. With
 *               TUNTAP_ROUTE_PARTIAL only a route that is listed with that flag matches.
 * @param size   sizeof(tuntap_route).
 * @param err    May be NULL.
 * @return 0, or
 *         -ENOENT  the device does not have the route (_UNSET);
 *         -EBUSY   Linux would delete another route, which has the same destination and metric and
 *                  comes first (_BUSY);
 *         -EINVAL  the route is not valid, as for tuntap_add_route;
 *         -EINVAL  dev or route is NULL, or size is too small (_ARGUMENT);
 *         -EPERM   CAP_NET_ADMIN is needed (_PRIVILEGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_del_route(tuntap *dev, const tuntap_route *route, size_t size, tuntap_error *err);

/**
 * Lists the routes through the device, IPv4 before IPv6.
 *
 * Routes that the kernel added for the addresses are listed too. Routes of the local table, which
 * lead to the host itself, and routes with several next hops are not listed. A route with attributes
 * that a tuntap_route does not have (see tuntap_add_route) is listed without them, with
 * TUNTAP_ROUTE_PARTIAL.
 *
 * @param dev     The device.
 * @param routes  Receives the first `count` routes. NULL with a count of 0: only the number is
 *                returned.
 * @param count   Elements of routes.
 * @param size    sizeof(tuntap_route): the distance between two elements.
 * @param err     May be NULL.
 * @return The number of routes, which may be larger than count; or
 *         -EINVAL  dev is NULL, routes is NULL and count is not 0, or size is too small
 *                  (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
ssize_t tuntap_list_routes(const tuntap *dev, tuntap_route *routes, size_t count, size_t size, tuntap_error *err);

/**
 * Finds the route that the system selects for a packet.
 *
 * It can lead through any interface. The kernel does the lookup, with all of its rules and tables.
 * Needs no privilege.
 *
 * The route has the destination, the metric and the other attributes with which it was added. gateway
 * and source are those of this packet. mtu is the MTU for this destination in bytes, even if the
 * route itself has none: of the path, if the kernel has learned it, or else of the interface.
 * TUNTAP_ROUTE_PARTIAL also shows that the route has several next hops; one of them is reported.
 *
 * Linux: RTM_GETROUTE.
 *
 * Darwin: RTM_GET, which knows neither the source nor a mark of a packet. source is reported for IPv4
 * only: for IPv6 the kernel selects it when it sends.
 *
 * @param dev          A device: the route is looked up in its network namespace. NULL: in that of the
 *                     calling thread.
 * @param destination  An address without a prefix length, such as "192.0.2.1". A link-local IPv6
 *                     address needs an interface, and has no route here.
 * @param source       The source address of the packet. NULL: the system chooses it, and reports it.
 * @param mark         The mark of the packet (SO_MARK). 0: none.
 * @param route        Receives the route, with the index of its interface.
 * @param size         sizeof(tuntap_route).
 * @param err          May be NULL.
 * @return 0, or
 *         -ENETUNREACH  no route leads to the destination, the route discards the packet (a blackhole
 *                       route, for example), or, for IPv4, the host does not have source
 *                       (_UNSET);
 *         -EMSGSIZE     Linux: the route has about 100 next hops or more, too many for an answer of the
 *                       kernel (_SYSTEM);
 *         -EINVAL       destination or source is not an address, or their families differ
 *                       (_ADDRESS);
 *         -EINVAL       destination or route is NULL, or size is too small (_ARGUMENT);
 *         -ENODEV       the device is gone (_REMOVED);
 *         -ETIMEDOUT    Darwin: the kernel did not answer within a second, because other messages filled
 *                       the socket (_SYSTEM);
 *         -EOPNOTSUPP   Darwin: source or mark is given (_PLATFORM).
 * @since 0.1.0
 */
int tuntap_find_route(const tuntap *dev, const char *destination, const char *source, uint32_t mark, tuntap_route *route, size_t size, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Default routes
 *
 * Routing everything through a device, except what bypasses it.
 */

/**
 * Argument flags of tuntap_add_default_route and tuntap_add_bypass: the default route or the
 * bypass stays when the handle that added it is closed. On a device that is not persistent it
 * ends with the device; on Darwin a bypass stays.
 */
#define TUNTAP_KEEP 0x2

/**
 * Argument flags of tuntap_add_default_route: the default route through the device precedes
 * all other routes. Without this flag, more specific routes of the main table precede it, such
 * as those to the networks of other interfaces. Whoever controls such a network can add such
 * routes: a DHCP server, for example.
 */
#define TUNTAP_OVERRIDE 0x4

/**
 * Routes everything through the device, which must be up: as a VPN does.
 *
 * Packets to the host itself, packets that bypass the device (see tuntap_add_bypass), and, without
 * TUNTAP_OVERRIDE, packets with a more specific route in the main table are routed as before. Add a
 * bypass for the server of the VPN first: otherwise the packets of the tunnel enter the tunnel.
 *
 * The default routes of the system stay where they are. The route ends when the handle that added it
 * is closed or released, unless TUNTAP_KEEP is set, or when the device goes down, is moved to another
 * network namespace, or is removed; for IPv6 also when its MTU falls below 1280 or IPv6 is disabled on
 * it. Packets are then again routed as before. After a crash of the process the kernel removes the
 * device, unless it is persistent. The next handle with CAP_NET_ADMIN that opens a persistent device
 * removes what was left.
 *
 * Only the process that added the route removes it, when it closes the handle. A child of fork()
 * removes nothing, even if it still uses the device. Call this function after daemon(3). The close
 * needs CAP_NET_ADMIN: without it the rules stay. They have no effect once the device is gone, but a
 * persistent device still gets the packets. Before the process drops its privileges, choose:
 * TUNTAP_KEEP, or a device that is not persistent.
 *
 * If the device already has exactly this default route, nothing changes. If only TUNTAP_OVERRIDE or the
 * gateway differs, the call updates it. TUNTAP_KEEP makes it stay. Missing parts are added: call this
 * function again after the device was down (TUNTAP_EVENT_UP). A route that another handle added still
 * ends with that handle. If several devices have a default route, the first one with TUNTAP_OVERRIDE is
 * used, otherwise the first one.
 *
 * Without IPv6 addresses on the device, the route for IPv6 still keeps IPv6 packets from leaving the
 * host through another interface. Strict source validation (sysctl rp_filter) of other interfaces
 * refuses packets that would be answered through the device, such as new connections from the Internet
 * to this host. DNS is not changed: use resolvectl or resolvconf.
 *
 * Cost: until the handle is closed or the route is deleted, the handle has one more descriptor.
 *
 * Linux: the route is in a table of its own, 2000000000 + the index of the device. Rules of policy
 * routing with the priorities 30003 to 30006 select it. `ip rule` shows them: with protocol 117 they
 * end with the handle, and with protocol static they stay; suppress_ifgroup only shows the device.
 * The kernel evaluates rules of other programs with lower numbers first: verify the result with
 * tuntap_find_route. Rules of devices that are gone have no effect, but their bypasses apply to other
 * devices; the next call that adds or deletes a default route or a bypass removes them.
 * Other programs can remove the rules: systemd-networkd does so with ManageForeignRoutingPolicyRules=.
 *
 * Darwin: routes to 0.0.0.0/1 and 128.0.0.0/1, ::/1 and 8000::/1, which precede the default route.
 *
 * @param dev      The device.
 * @param family   TUNTAP_IPV4, TUNTAP_IPV6, or 0: each family that the kernel supports. If one fails,
 *                 neither is added.
 * @param gateway  The next hop on the link, such as "10.8.0.1"; only with one family. NULL: none. On a
 *                 TAP without a gateway, the kernel resolves each destination on the link (ARP, NDP).
 * @param flags    0, or TUNTAP_KEEP and TUNTAP_OVERRIDE.
 * @param err      May be NULL.
 * @return 0, even if the device already has this default route; or
 *         -EINVAL       gateway is not valid (_ADDRESS);
 *         -EINVAL       unknown flags (_FLAGS);
 *         -EINVAL       dev is NULL, the family is unknown, or a gateway is given with family 0
 *                       (_ARGUMENT);
 *         -EINVAL       the MTU is below 1280, for IPv6 (_RANGE);
 *         -ENETDOWN     the device is down (_DOWN);
 *         -ENETUNREACH, -EHOSTUNREACH  the gateway is in no network of the device
 *                       (_SYSTEM);
 *         -EACCES       IPv6 is disabled on the device, for IPv6 (_SYSTEM): see
 *                       TUNTAP_IPV6_DISABLE, or request TUNTAP_IPV4: then IPv6 packets leave the
 *                       host through another interface;
 *         -EEXIST       another interface has a default route in the table (_BUSY);
 *         -EPERM        CAP_NET_ADMIN is needed (_PRIVILEGE);
 *         -EOPNOTSUPP   the kernel has no policy routing, or no IPv6 for TUNTAP_IPV6
 *                       (_KERNEL);
 *         -EOPNOTSUPP   Darwin: TUNTAP_KEEP or TUNTAP_OVERRIDE (_PLATFORM);
 *         -ENODEV       the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_add_default_route(tuntap *dev, uint32_t family, const char *gateway, uint64_t flags, tuntap_error *err);

/**
 * Deletes the default route through the device, whichever handle has added it.
 *
 * Bypasses stay.
 *
 * @param dev     The device.
 * @param family  TUNTAP_IPV4, TUNTAP_IPV6, or 0 for both.
 * @param err     May be NULL.
 * @return 0, or
 *         -ENOENT      the device has no default route of the family, or of any family
 *                      (_UNSET);
 *         -EINVAL      dev is NULL, or the family is unknown (_ARGUMENT);
 *         -EBUSY       the kernel would delete another route (_BUSY): see
 *                      tuntap_del_route;
 *         -EPERM       CAP_NET_ADMIN is needed (_PRIVILEGE);
 *         -EOPNOTSUPP  the kernel has no policy routing (_KERNEL);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_del_default_route(tuntap *dev, uint32_t family, tuntap_error *err);

/**
 * Excludes packets from the default route through the device: they are routed as if it did not exist.
 *
 * For the server of a VPN, and for networks that should stay reachable with TUNTAP_OVERRIDE. A bypass
 * has no effect without a default route of tuntap_add_default_route, and can be added before it. It
 * excludes the packets from the default routes of all devices, but not from routes of
 * tuntap_add_route.
 *
 * On Linux the kernel looks up the route of each packet: when a gateway or an interface changes,
 * packets follow it without a further call. TUNTAP_MONITOR_DEFAULT_ROUTE reports changes of the
 * default route.
 *
 * The bypass ends when the handle that added it is closed, unless TUNTAP_KEEP is set, or with the
 * device, as described in tuntap_add_default_route.
 *
 * A mark selects packets of programs that set SO_MARK, which needs CAP_NET_ADMIN: for servers whose
 * addresses are not known in advance. Answers to them do not have the mark. Where the source validation
 * of the interface is strict (sysctl rp_filter 1), set it to 2, or set src_valid_mark and let
 * netfilter restore the mark.
 *
 * Cost: as tuntap_add_default_route.
 *
 * Linux: a rule of policy routing with a priority of 30000 to 30002.
 *
 * Darwin: a route to the destination, because there are no rules. It has the gateway and the interface
 * that packets take at the time of the call without the default route of this device, and keeps them:
 * when TUNTAP_EVENT_DEFAULT_ROUTE reports another gateway, call this function again. It then replaces
 * the route that this handle has added; for a moment there is none. A destination that has a more
 * specific route than 0.0.0.0/1 or ::/1 already bypasses the device: nothing is added, and routes of
 * other programs are never replaced or deleted. Only the handle that added a bypass can delete it. It
 * needs root only to add the first one, because it keeps the socket for that. After a crash of the
 * process the route stays until the interface loses its IPv4 address, as a route with TUNTAP_KEEP
 * does, and later calls take it for a route of another program: delete it with route(8).
 *
 * @param dev          The device.
 * @param destination  An address or a network, such as "192.0.2.1" or "192.168.0.0/16", but not all
 *                     addresses. NULL: any destination; then a mark is needed.
 * @param mark         The mark of the packets. 0: any.
 * @param mask         The bits of the mark to compare. 0: all.
 * @param flags        0, or TUNTAP_KEEP.
 * @param err          May be NULL.
 * @return 0, even if the device already has this bypass; or
 *         -EINVAL       destination is not valid (_ADDRESS);
 *         -EINVAL       unknown flags (_FLAGS);
 *         -EINVAL       dev is NULL, neither a destination nor a mark is given, the mark has bits
 *                       outside the mask, or a mask is given without a mark (_ARGUMENT);
 *         -EPERM        CAP_NET_ADMIN is needed (_PRIVILEGE);
 *         -ENETUNREACH  Darwin: no route leads to the destination without the device
 *                       (_UNSET);
 *         -EEXIST       Darwin: there is another route to this destination (_BUSY);
 *         -EOPNOTSUPP   the kernel has no policy routing (_KERNEL);
 *         -EOPNOTSUPP   Darwin: a mark is given (_PLATFORM);
 *         -ENODEV       the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_add_bypass(tuntap *dev, const char *destination, uint32_t mark, uint32_t mask, uint64_t flags, tuntap_error *err);

/**
 * Deletes a bypass of the device, whichever handle has added it; on Darwin only one of this handle.
 *
 * @param dev          The device.
 * @param destination  As for tuntap_add_bypass.
 * @param mark         As for tuntap_add_bypass.
 * @param mask         As for tuntap_add_bypass.
 * @param err          May be NULL.
 * @return 0, or
 *         -ENOENT      the device does not have this bypass (_UNSET);
 *         -EINVAL      as for tuntap_add_bypass;
 *         -EPERM       CAP_NET_ADMIN is needed (_PRIVILEGE);
 *         -EOPNOTSUPP  the kernel has no policy routing (_KERNEL);
 *         -EOPNOTSUPP  Darwin: a mark is given (_PLATFORM);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_del_bypass(tuntap *dev, const char *destination, uint32_t mark, uint32_t mask, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Options
 *
 * Options of an open that are not flags.
 */

/**
 * tuntap_config_set_vnet_endian: the byte order of the machine, the default of a new device.
 */
#define TUNTAP_ENDIAN_NATIVE 0

/**
 * tuntap_config_set_vnet_endian: little-endian, as in virtio 1.0.
 */
#define TUNTAP_ENDIAN_LITTLE 1

/**
 * tuntap_config_set_vnet_endian: big-endian.
 */
#define TUNTAP_ENDIAN_BIG 2

/**
 * Creates a config without options. One config can be used for any number of opens, which
 * do not change it. Only one thread at a time may use a config.
 *
 * @param config  Receives the config. tuntap_config_free frees it.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config is NULL (_ARGUMENT);
 *         -ENOMEM  out of memory (_SYSTEM).
 * @since 0.1.0
 */
int tuntap_config_new(tuntap_config **config, tuntap_error *err);

/**
 * Frees a config. Devices that were opened with it are not affected.
 *
 * @param config  The config. May be NULL.
 * @since 0.1.0
 */
void tuntap_config_free(tuntap_config *config);

/**
 * Sets the user who may open the device without privilege: see tuntap_set_owner. The user
 * is checked at open.
 *
 * @param config  The config.
 * @param uid     As numbered in the user namespace of the calling process.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config is NULL (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_config_set_owner(tuntap_config *config, uint32_t uid, tuntap_error *err);

/**
 * Sets the group whose members may open the device without privilege: see
 * tuntap_set_group. The group is checked at open.
 *
 * @param config  The config.
 * @param gid     As numbered in the user namespace of the calling process.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config is NULL (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_config_set_group(tuntap_config *config, uint32_t gid, tuntap_error *err);

/**
 * Sets the device node to open instead of the usual one (Linux: /dev/net/tun; Android:
 * /dev/tun). The open fails if there is no such node.
 *
 * @param config  The config.
 * @param path    Copied. A relative path starts at the working directory at the time of
 *                the open, and of tuntap_open_queue. NULL: the usual node again.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config is NULL (_ARGUMENT);
 *         -EINVAL  path is empty (_ARGUMENT);
 *         -ENOMEM  out of memory (_SYSTEM).
 * @since 0.1.0
 */
int tuntap_config_set_node(tuntap_config *config, const char *path, tuntap_error *err);

/**
 * Sets the network namespace to open the device in, instead of the one of the calling
 * thread. The thread itself does not change its namespace. Entering the namespace needs
 * CAP_SYS_ADMIN, in it and in the namespace of the caller.
 *
 * @param config  The config.
 * @param path    For example "/run/netns/blue" or "/proc/1234/ns/net". Opened by this
 *                call. NULL: the namespace of the calling thread again.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config is NULL (_ARGUMENT);
 *         -EINVAL  path is not a network namespace (_NAMESPACE);
 *         -ENOENT, -EACCES, -ENAMETOOLONG, ...  path cannot be opened.
 * @since 0.1.0
 */
int tuntap_config_set_netns(tuntap_config *config, const char *path, tuntap_error *err);

#if !defined(_WIN32)
/**
 * Sets the network namespace to open the device in, by descriptor: see
 * tuntap_config_set_netns.
 *
 * @param config  The config.
 * @param fd      A descriptor of a network namespace, duplicated. It still belongs to the
 *                caller. -1: the namespace of the calling thread again.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config is NULL (_ARGUMENT);
 *         -EINVAL  fd is not a network namespace (_NAMESPACE);
 *         -EBADF   fd is not open (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_config_set_netns_fd(tuntap_config *config, int fd, tuntap_error *err);
#endif

/**
 * Sets the MTU: see tuntap_set_mtu. The value is checked at open.
 *
 * @param config  The config.
 * @param mtu     In bytes.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config is NULL (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_config_set_mtu(tuntap_config *config, uint32_t mtu, tuntap_error *err);

/**
 * Sets the MAC address of a TAP: see tuntap_set_mac.
 *
 * @param config  The config.
 * @param mac     TUNTAP_MAC_SIZE (6) bytes.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config or mac is NULL (_ARGUMENT);
 *         -EINVAL  mac is a group address or all zeros (_ADDRESS).
 * @since 0.1.0
 */
int tuntap_config_set_mac(tuntap_config *config, const uint8_t *mac, tuntap_error *err);

/**
 * Sets the alias: see tuntap_set_alias.
 *
 * @param config  The config.
 * @param alias   Copied. Up to 255 bytes.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config or alias is NULL (_ARGUMENT);
 *         -EINVAL  alias is too long (_RANGE);
 *         -ENOMEM  out of memory (_SYSTEM).
 * @since 0.1.0
 */
int tuntap_config_set_alias(tuntap_config *config, const char *alias, tuntap_error *err);

/**
 * Sets the transmit queue length: see tuntap_set_txqueuelen. The open fails if there is no
 * memory for it.
 *
 * @param config   The config.
 * @param packets  For each queue.
 * @param err      May be NULL.
 * @return 0, or
 *         -EINVAL  config is NULL (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_config_set_txqueuelen(tuntap_config *config, uint32_t packets, tuntap_error *err);

/**
 * Sets the send buffer: see tuntap_set_sndbuf. The value is checked at open.
 *
 * @param config  The config.
 * @param bytes   1 to 2147483647.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config is NULL (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_config_set_sndbuf(tuntap_config *config, uint32_t bytes, tuntap_error *err);

/**
 * Sets the size of the virtio header before each packet of a device with TUNTAP_OFFLOAD,
 * for another program that uses the same device: 10 for struct virtio_net_hdr, 12 for struct
 * virtio_net_hdr_mrg_rxbuf, as QEMU uses it, or more. Without this option an existing device
 * keeps its size. A new one has 24, for struct virtio_net_hdr_v1_hash_tunnel, if the kernel
 * supports TUNTAP_F_UDP_TUNNEL_GSO, and otherwise 10. A new one with TUNTAP_PERSIST has 10:
 * other programs that open it later may expect that. A header of fewer than 24 bytes does not
 * pass super-packets of tunnels. All other packets pass the same with any size.
 *
 * The open needs TUNTAP_OFFLOAD: only such a device has the virtio header (IFF_VNET_HDR).
 *
 * The size belongs to the device, for all queues, and a persistent device keeps it. It can
 * only be changed while no other queue is open. Otherwise the open fails with
 * TUNTAP_REASON_BUSY, unless the device already has this size.
 *
 * @param config  The config.
 * @param size    10 to 256.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config is NULL (_ARGUMENT);
 *         -EINVAL  size is out of range (_RANGE).
 * @since 0.1.0
 */
int tuntap_config_set_vnet_hdr_size(tuntap_config *config, size_t size, tuntap_error *err);

/**
 * Sets the byte order of the virtio header before each packet of a device with
 * TUNTAP_OFFLOAD, for another program that uses the same device. Without this option an
 * existing device keeps its byte order, and a new one has that of the machine. The packet
 * functions of this library work the same with either: a tuntap_vnet_hdr is always in the
 * byte order of the machine. The byte order can be changed under the same condition as the
 * size: see tuntap_config_set_vnet_hdr_size.
 *
 * On a little-endian machine, TUNTAP_ENDIAN_BIG needs a kernel with
 * CONFIG_TUN_VNET_CROSS_LE. With any other kernel the open fails with -EOPNOTSUPP and
 * TUNTAP_REASON_KERNEL.
 *
 * @param config  The config.
 * @param endian  A TUNTAP_ENDIAN_*.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config is NULL (_ARGUMENT);
 *         -EINVAL  endian is not a TUNTAP_ENDIAN_* (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_config_set_vnet_endian(tuntap_config *config, uint32_t endian, tuntap_error *err);

/**
 * Adds an address to give to the device, in addition to those of other calls and those
 * that the device has: see tuntap_add_addr.
 *
 * @param config  The config.
 * @param addr    Copied.
 * @param size    sizeof(tuntap_addr).
 * @param flags   0 or TUNTAP_REPLACE.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config or addr is NULL (_ARGUMENT);
 *         -EINVAL  as in tuntap_add_addr;
 *         -ENOMEM  out of memory (_SYSTEM).
 * @since 0.1.0
 */
int tuntap_config_add_addr(tuntap_config *config, const tuntap_addr *addr, size_t size, uint64_t flags, tuntap_error *err);

/**
 * Adds a route to add through the device: see tuntap_add_route. The device must be up for
 * it: see tuntap_config_set_up.
 *
 * @param config  The config.
 * @param route   Copied.
 * @param size    sizeof(tuntap_route).
 * @param flags   0 or TUNTAP_REPLACE.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config or route is NULL (_ARGUMENT);
 *         -EINVAL  as in tuntap_add_route;
 *         -ENOMEM  out of memory (_SYSTEM).
 * @since 0.1.0
 */
int tuntap_config_add_route(tuntap_config *config, const tuntap_route *route, size_t size, uint64_t flags, tuntap_error *err);

/**
 * Sets whether to bring the device up or take it down. Without this option it stays as it is.
 *
 * @param config  The config.
 * @param up      0: down. Not 0: up.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  config is NULL (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_config_set_up(tuntap_config *config, int up, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Namespaces
 *
 * Moving a device to another network namespace.
 */

/**
 * Moves the device to another network namespace. All its handles continue to read and
 * write, in any thread and namespace, and calls that configure the device act on it in its
 * new namespace.
 *
 * The kernel takes the device down and removes its addresses, routes, master and IPv6
 * settings. In the new namespace its index can be different, and its name must not be in
 * use.
 *
 * To configure the device there, the process must be able to enter that namespace: this
 * needs CAP_SYS_ADMIN in both namespaces and Linux 5.4 or later. Otherwise a handle can
 * only read and write, and calls that query or configure the device return -EXDEV with
 * TUNTAP_REASON_NAMESPACE.
 *
 * @param dev   The device.
 * @param path  For example "/run/netns/blue" or "/proc/1234/ns/net".
 * @param err   May be NULL.
 * @return 0, even if it is already there, or
 *         -EINVAL  dev or path is NULL (_ARGUMENT);
 *         -EINVAL  path is not a network namespace (_NAMESPACE);
 *         -ENOENT, -EACCES, ...  path cannot be opened;
 *         -EEXIST  the name is in use there (_BUSY);
 *         -EPERM   this needs CAP_NET_ADMIN in both namespaces (_PRIVILEGE);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_netns(tuntap *dev, const char *path, tuntap_error *err);

#if !defined(_WIN32)
/**
 * Moves the device to the network namespace of a descriptor: see tuntap_set_netns.
 *
 * @param dev  The device.
 * @param fd   A descriptor of a network namespace. It still belongs to the caller.
 * @param err  May be NULL.
 * @return 0, or as tuntap_set_netns, or
 *         -EBADF  fd is not open (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_set_netns_fd(tuntap *dev, int fd, tuntap_error *err);
#endif

/* ----------------------------------------------------------------------------
 * Queues
 *
 * Several queues for one device, each with its own handle.
 */

/**
 * Opens another queue of a multi-queue device.
 *
 * The new handle is for the same device, which exists until its last handle is closed. The kernel
 * distributes flows over the attached queues. The new queue gets the filter of
 * tuntap_set_filter_bpf.
 *
 * For N queues, call tuntap_open with TUNTAP_MULTI_QUEUE, and then this function N - 1 times. Each of N
 * threads then reads, writes and waits on its own handle; no two of them share one.
 *
 * @param dev    Any handle of the device.
 * @param flags  0 or TUNTAP_NONBLOCK. The other flags are those of the device.
 * @param queue  Receives the new handle, attached; tuntap_close frees it.
 * @param err    May be NULL.
 * @return 0, or
 *         -EINVAL  flags are not valid here (_FLAGS);
 *         -EINVAL  the device has a single queue, or its virtio header is now larger than 256 bytes
 *                  (_MISMATCH);
 *         -EINVAL  dev or queue is NULL (_ARGUMENT);
 *         -E2BIG   the device has the maximum number of queues (_BUSY);
 *         -EPERM   CAP_NET_ADMIN is needed: the device belongs to another user
 *                  (_PRIVILEGE);
 *         -ENODEV  the device is gone (_REMOVED);
 *         -EXDEV   this process cannot enter the network namespace of the device
 *                  (_NAMESPACE);
 *         or as tuntap_open.
 * @since 0.1.0
 */
int tuntap_open_queue(tuntap *dev, uint64_t flags, tuntap **queue, tuntap_error *err);

/**
 * Attaches this queue to its device again, after tuntap_detach: the kernel sends packets to it.
 *
 * It gets the filter of tuntap_set_filter_bpf, even if that was set while the queue was detached.
 *
 * @param dev  The handle of the queue.
 * @param err  May be NULL.
 * @return 0, even if the queue is already attached; or
 *         -EINVAL  the device has a single queue (_MISMATCH);
 *         -EINVAL  dev is NULL (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED);
 *         -ENOMEM  no memory for the filter (_SYSTEM);
 *         -EBUSY   the kernel does not attach the queue (_BUSY).
 * @since 0.1.0
 */
int tuntap_attach(tuntap *dev, tuntap_error *err);

/**
 * Detaches this queue from its device.
 *
 * The kernel drops the packets in the queue and sends no further packets to it; tuntap_read finds
 * none until tuntap_attach. The handle still configures the device. tuntap_write still works, but
 * returns -EBUSY on a device with TUNTAP_NAPI. A device without an attached queue continues to
 * exist, and drops the packets that are sent through it.
 *
 * @param dev  The handle of the queue.
 * @param err  May be NULL.
 * @return 0, even if the queue is already detached; or
 *         -EINVAL  the device has a single queue (_MISMATCH);
 *         -EINVAL  dev is NULL (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_detach(tuntap *dev, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Readers
 *
 * Reading packets in batches: faster than one by one.
 */

/**
 * A packet of a batch.
 */
typedef struct tuntap_packet {
    /**
     * Address of the packet.
     */
    void *data;
    /**
     * Size of the packet in bytes.
     */
    size_t size;
    /**
     * The number of packets, from this one on, that have this size and lie evenly spaced in memory. The
     * last one may be shorter. One sendmsg with UDP_SEGMENT can send such a run, from data - headroom
     * on, in segments of headroom + size + tailroom bytes (see tuntap_reader_set_room): therefore a run
     * has at most 60 packets, and at most 65507 bytes with their room. Each segment must also fit the
     * path's MTU. It is 1 for a single packet. In a run of three packets the values are 3, 2 and 1.
     * Only packets that this call returned are counted. A function that takes packets ignores it.
     */
    size_t run;
} tuntap_packet;

/**
 * Creates a reader, which reads packets in batches. On a device with TUNTAP_OFFLOAD this costs a
 * fraction of tuntap_read: the reader segments each super-packet, and every segment has correct
 * headers and checksums. A reader works on every other device too.
 *
 * A handle can have several readers, each used by one thread. A reader keeps the packets that it
 * has read until it returns them. So if other readers or tuntap_read use the same handle, each of
 * them gets only some of the packets.
 *
 * @param dev     The handle.
 * @param flags   0 or TUNTAP_TRUSTED.
 * @param reader  Receives the reader. Free it with tuntap_reader_free, before or after
 *                tuntap_close.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  dev or reader is NULL (_ARGUMENT); unknown flags (_FLAGS);
 *         -ENOMEM  no memory: a reader needs 390 KB (_SYSTEM).
 * @since 0.1.0
 */
int tuntap_reader_new(tuntap *dev, uint64_t flags, tuntap_reader **reader, tuntap_error *err);

/**
 * Frees a reader, and the packets that it still holds. If tuntap_close was called before on the
 * device, this closes the device.
 *
 * @param reader  May be NULL.
 * @since 0.1.0
 */
void tuntap_reader_free(tuntap_reader *reader);

/**
 * Sets the free space before and after each packet of tuntap_reader_batch, for example for a
 * header and an authentication tag. The caller may write to it until the next call on this reader.
 * A new reader has no free space.
 *
 * The room makes a packet larger, and the kernel refuses a segment of UDP_SEGMENT that is larger than
 * the path's MTU: with EINVAL or EMSGSIZE. So set the MTU of the device to the path's MTU minus the
 * tunnel's headers (IP and UDP: 28 bytes for IPv4, 48 for IPv6), minus headroom and tailroom, and for a
 * TAP minus the 14 bytes of the Ethernet header.
 *
 * @param reader    The reader.
 * @param headroom  Bytes before each packet.
 * @param tailroom  Bytes after each packet. headroom + tailroom is at most 4096.
 * @param err       May be NULL.
 * @return 0, or
 *         -EINVAL  reader is NULL (_ARGUMENT); more than 4096 bytes (_RANGE).
 * @since 0.1.0
 */
int tuntap_reader_set_room(tuntap_reader *reader, size_t headroom, size_t tailroom, tuntap_error *err);

/**
 * Returns the next packet of a batch, without a copy. The first call of a batch waits for a packet,
 * unless the handle is non-blocking. The batch then has the packets that are in the device's
 * queue, until the queue is empty, or 256 reads were made, or 64 KiB were read. At the end of a
 * batch, send what was collected, for example with tuntap_writer_flush: then no packet is delayed by
 * a packet that may never come.
 *
 * After a return value of 0 the reader is empty, but the device may have more packets. The program
 * may call this function again, or wait with tuntap_wait, with poll or with level-triggered epoll: the
 * descriptor is readable when the device has more packets.
 * While the call returns packets, the reader may hold others that the descriptor does not show.
 * With edge-triggered epoll, call this function until it returns -EAGAIN.
 *
 * @param reader  The reader.
 * @param packet  Receives the address of the packet. The packet is valid until the next call on
 *                this reader, and may be modified in place.
 * @param err     May be NULL.
 * @return The size of the packet, or
 *         0           the batch is over: flush now. The device may have more packets: the next
 *                     call begins another batch;
 *         -EAGAIN     no packet is waiting, and the handle is non-blocking (_AGAIN).
 *                     Only this value means that no packet is waiting;
 *         -EPROTO     a super-packet did not match its virtio header, and is lost (_PACKET);
 *         -ECANCELED  no packet, and tuntap_wake was called (_WOKEN); or tuntap_shutdown was called
 *                     (_SHUTDOWN);
 *         -EINTR      a signal handler ran during the wait (_INTERRUPTED);
 *         -ENODEV     the device is gone (_REMOVED);
 *         -EINVAL     reader or packet is NULL (_ARGUMENT).
 * @since 0.1.0
 */
ssize_t tuntap_reader_next(tuntap_reader *reader, void **packet, tuntap_error *err);

/**
 * Returns several packets of a batch, copied to the reader's memory. Waits for the first packet,
 * unless the handle is non-blocking. Packets that do not fit are returned by the next call.
 * tuntap_reader_next returns packets without a copy.
 *
 * The packets are contiguous in memory: headroom, packet, tailroom, headroom, packet, and so on.
 * A sequence of packets of equal size is a run: see tuntap_packet.
 *
 * A batch ends as in tuntap_reader_next. If the packets have room (tuntap_reader_set_room), packets
 * that are not segments of a super-packet count with their room, and the batch ends where a run of
 * 65507 bytes ends.
 *
 * @param reader   The reader.
 * @param packets  Receives the addresses and sizes. The packets are valid until the next call on
 *                 this reader, and may be modified in place.
 * @param count    Number of elements of packets: at least 1. 64 to 128 are good values. More
 *                 small datagrams than that at once can overflow the receive buffer of a UDP socket.
 * @param size     sizeof(tuntap_packet), the distance between two elements of packets.
 * @param err      May be NULL.
 * @return The number of packets, or
 *         0        the batch is over: flush now. The device may have more packets: the next call
 *                  begins another batch;
 *         -EAGAIN  no packet is waiting, and the handle is non-blocking (_AGAIN). Only
 *                  this value means that no packet is waiting;
 *         -EINVAL  packets is NULL; count is 0, or larger than memory; size is wrong (_ARGUMENT);
 *         or another errno as tuntap_reader_next.
 *         If an error occurs after the first packet, the call returns the packets, and the next
 *         call returns the error.
 * @since 0.1.0
 */
ssize_t tuntap_reader_batch(tuntap_reader *reader, tuntap_packet *packets, size_t count, size_t size, tuntap_error *err);

/**
 * Copies several packets of a batch to buffers of the caller. Waits for the first packet, unless
 * the handle is non-blocking. A buffer of the size of the MTU, and on a TAP 22 bytes more for the
 * Ethernet header and two VLAN tags, has room for what the kernel sends. Set the size of each buffer
 * again before the next call: the call writes the size of the packet there.
 *
 * tuntap_reader_set_room has no effect here. To send with UDP_SEGMENT, give sendmsg one iovec for
 * each packet of equal size.
 *
 * @param reader   The reader.
 * @param packets  On entry: the address of a buffer in data, and its size in size, for each packet.
 *                 On return: size is the size of the packet, run is 1, and data is unchanged.
 *                 Elements after the returned number are unchanged.
 * @param count    Number of elements of packets: at least 1.
 * @param size     sizeof(tuntap_packet), the distance between two elements of packets.
 * @param err      May be NULL.
 * @return The number of packets: fewer than count if the next packet is larger than its buffer. Or
 *         0          the batch is over: flush now. The device may have more packets: the next call
 *                    begins another batch;
 *         -EAGAIN    no packet is waiting, and the handle is non-blocking (_AGAIN). Only
 *                    this value means that no packet is waiting;
 *         -EMSGSIZE  the first packet is larger than its buffer (_BUFFER). The packet is not lost: the
 *                    next call returns it. The message has its size;
 *         -EINVAL    an address is NULL; a size is larger than memory (_ARGUMENT);
 *         or another errno as tuntap_reader_batch.
 * @since 0.1.0
 */
ssize_t tuntap_reader_copy(tuntap_reader *reader, tuntap_packet *packets, size_t count, size_t size, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Writers
 *
 * Writing packets in batches: faster than one by one.
 */

/**
 * Creates a writer, which writes packets in batches. On a device with TUNTAP_OFFLOAD it coalesces
 * the packets of a flow into super-packets, and writes them with as few system calls as possible.
 * On every other device it writes each packet at once.
 *
 * The packets arrive as if they were written one by one, with one exception: if IPv4 packets with
 * the DF flag all have the same identification, they arrive with consecutive ones. Packets of one
 * TCP or UDP flow stay in order; packets of different flows may not. Without TUNTAP_TRUSTED, a
 * packet with a bad checksum is not coalesced, and arrives with the bad checksum.
 *
 * A handle can have several writers, each used by one thread.
 *
 * A packet that the writer has accepted must not be written again. It goes to the kernel, or stays
 * in the writer until the next call if there is no room, or is lost if the kernel refuses it. After
 * a loss the other packets still go out. Each loss is reported once, by the tuntap_writer_flush or
 * tuntap_writer_batch that finds it. If that call fails for another reason, or another function
 * finds the loss, the next of these calls reports it. The error code is the one of the first lost
 * packet, and the message has the number of lost packets; tuntap_writer_get_lost returns the number
 * of all. tuntap_writer_put, tuntap_writer_reserve and tuntap_writer_commit report only errors of
 * their own packet.
 *
 * @param dev     The handle.
 * @param flags   0 or TUNTAP_TRUSTED.
 * @param writer  Receives the writer. Free it with tuntap_writer_free, before or after
 *                tuntap_close.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  dev or writer is NULL (_ARGUMENT); unknown flags (_FLAGS);
 *         -ENOMEM  no memory: a writer needs 3.4 MB on a device with TUNTAP_OFFLOAD, and 64 KiB on
 *                  any other device (_SYSTEM).
 * @since 0.1.0
 */
int tuntap_writer_new(tuntap *dev, uint64_t flags, tuntap_writer **writer, tuntap_error *err);

/**
 * Frees a writer. Packets that it still holds are lost: call tuntap_writer_flush before. If
 * tuntap_close was called before on the device, this closes the device.
 *
 * @param writer  May be NULL.
 * @since 0.1.0
 */
void tuntap_writer_free(tuntap_writer *writer);

/**
 * Copies a packet to the writer. The packet goes out with tuntap_writer_flush, or earlier if the
 * writer is full. On a device without a send buffer limit (tuntap_set_sndbuf) this never waits.
 *
 * @param writer  The writer.
 * @param packet  The packet, as for tuntap_write.
 * @param size    Size of the packet.
 * @param err     May be NULL.
 * @return 0, or errors as tuntap_write: then the packet was not accepted. An error because there is
 *         no room concerns the packets that were accepted before: write this packet again.
 * @since 0.1.0
 */
int tuntap_writer_put(tuntap_writer *writer, const void *packet, size_t size, tuntap_error *err);

/**
 * Reserves memory in the writer for a packet, which tuntap_writer_commit accepts from there. A
 * program can decrypt to it, and needs no buffer of its own. The memory is the same each time, so
 * it stays in the cache. The copy to a super-packet costs no extra pass: it is made while the
 * checksum is verified.
 *
 * @param writer  The writer.
 * @param size    Bytes to reserve: the size of the packet, or more.
 * @param packet  Receives the address. The memory is reserved until tuntap_writer_commit succeeds,
 *                or until any other function is called on this writer, which cancels the
 *                reservation.
 * @param err     May be NULL.
 * @return 0, or
 *         -EMSGSIZE  longer than tuntap_read_size (_PACKET);
 *         -EINVAL    size is 0 (_PACKET); writer or packet is NULL (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_writer_reserve(tuntap_writer *writer, size_t size, void **packet, tuntap_error *err);

/**
 * Accepts the packet in the reserved memory, as tuntap_writer_put accepts a copy.
 *
 * @param writer  The writer.
 * @param size    Size of the packet, from the first reserved byte on: at most the reserved size.
 * @param err     May be NULL.
 * @return 0, or errors as tuntap_writer_put: then the packet was not accepted, and the memory stays
 *         reserved; or
 *         -EINVAL  larger than the reserved size (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_writer_commit(tuntap_writer *writer, size_t size, tuntap_error *err);

/**
 * Writes all collected packets to the device.
 *
 * After -EAGAIN or -ECANCELED, or when a signal handler ran, the packets that did not go out stay in
 * the writer, in their order: wait, for example with tuntap_wait and TUNTAP_WAIT_WRITE, and call this
 * function again. No packet is sent twice. Meanwhile tuntap_writer_put accepts more packets, as long as
 * the writer has room.
 *
 * @param writer  The writer.
 * @param err     May be NULL.
 * @return 0 if all packets went out and there is no unreported loss, or
 *         -EAGAIN     no room, and the handle is non-blocking (_AGAIN);
 *         -EINTR      a signal handler ran during the wait (_INTERRUPTED);
 *         -ECANCELED  no room, and tuntap_wake was called (_WOKEN); or tuntap_shutdown was called
 *                     (_SHUTDOWN).
 *         After these errors packets stay in the writer, as above.
 *         -ENETDOWN   the device is down (_DOWN);
 *         -ENODEV     the device is gone (_REMOVED);
 *         -EBUSY      this queue is detached, and the device has TUNTAP_NAPI (_BUSY);
 *         -EINVAL     the kernel refused a packet (_PACKET);
 *         -ENOMEM     or another errno with which the kernel refuses a packet (_SYSTEM).
 *         After these errors packets are lost, all others were written, and the writer is empty.
 *         -EINVAL     writer is NULL (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_writer_flush(tuntap_writer *writer, tuntap_error *err);

/**
 * Gets the number of packets that the writer accepted and the kernel refused, since
 * tuntap_writer_new. It counts each loss as soon as it is found, before it is reported.
 *
 * @param writer  The writer.
 * @param lost    Receives the number.
 * @param err     May be NULL.
 * @return 0, or -EINVAL if writer or lost is NULL (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_writer_get_lost(const tuntap_writer *writer, uint64_t *lost, tuntap_error *err);

/**
 * Writes several packets: tuntap_writer_put for each, then tuntap_writer_flush.
 *
 * After an error continue with packets[*taken], or with tuntap_writer_flush if all packets were
 * accepted. Then no packet is sent twice. If the reason is TUNTAP_REASON_PACKET and *taken is less
 * than count, the writer never accepts packets[*taken]: continue with the packet after it. A count
 * of 0 is a tuntap_writer_flush.
 *
 * @param writer   The writer.
 * @param packets  The addresses and sizes of the packets. May be NULL with a count of 0.
 * @param count    Number of packets.
 * @param size     sizeof(tuntap_packet), the distance between two elements of packets.
 * @param taken    Receives the number of packets that the writer accepted, from the first one on.
 *                 Set after an error too.
 * @param err      May be NULL.
 * @return 0 if all packets were accepted and went out. Otherwise errors as tuntap_writer_flush. If
 *         *taken is less than count, errors as tuntap_writer_put for the next packet: the packets
 *         before it went out, or stay in the writer as after tuntap_writer_flush. Or
 *         -EINVAL  writer, packets, taken or an address is NULL; a size, or count, is larger than
 *                  memory (_ARGUMENT). No packet was accepted.
 * @since 0.1.0
 */
int tuntap_writer_batch(tuntap_writer *writer, const tuntap_packet *packets, size_t count, size_t size, size_t *taken, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Super-packets
 *
 * Reading and writing the super-packets of a device with TUNTAP_OFFLOAD.
 */

/**
 * tuntap_vnet_hdr.flags: the checksum is partial: its field has the sum of the pseudo header
 * only. The values here are those of virtio.
 */
#define TUNTAP_VNET_HDR_F_NEEDS_CSUM 0x1

/**
 * tuntap_vnet_hdr.flags: the checksum was verified and is good.
 */
#define TUNTAP_VNET_HDR_F_DATA_VALID 0x2

/**
 * tuntap_vnet_hdr.flags, in a tunnel: the checksum of the tunnel's UDP header is partial, too.
 */
#define TUNTAP_VNET_HDR_F_UDP_TUNNEL_CSUM 0x8

/**
 * tuntap_vnet_hdr.gso_type: a plain packet, no super-packet.
 */
#define TUNTAP_VNET_HDR_GSO_NONE 0

/**
 * tuntap_vnet_hdr.gso_type: a super-packet of TCP over IPv4.
 */
#define TUNTAP_VNET_HDR_GSO_TCPV4 1

/**
 * tuntap_vnet_hdr.gso_type: a super-packet of TCP over IPv6.
 */
#define TUNTAP_VNET_HDR_GSO_TCPV6 4

/**
 * tuntap_vnet_hdr.gso_type: a super-packet of UDP over IPv4 or IPv6.
 */
#define TUNTAP_VNET_HDR_GSO_UDP_L4 5

/**
 * tuntap_vnet_hdr.gso_type, combined with another type: the super-packet is inside a UDP tunnel
 * over IPv4.
 */
#define TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV4 32

/**
 * tuntap_vnet_hdr.gso_type, combined with another type: the super-packet is inside a UDP tunnel
 * over IPv6.
 */
#define TUNTAP_VNET_HDR_GSO_UDP_TUNNEL_IPV6 64

/**
 * tuntap_vnet_hdr.gso_type, combined with a TCP type: only the first segment has the CWR flag.
 */
#define TUNTAP_VNET_HDR_GSO_ECN 128

/**
 * The work that is left to do on a packet: segmentation, and the checksum. The names and values
 * are those of struct virtio_net_hdr. The numbers are in the byte order of the machine; the
 * library converts to and from the byte order of the device.
 */
typedef struct tuntap_vnet_hdr {
    /**
     * TUNTAP_VNET_HDR_F_NEEDS_CSUM, TUNTAP_VNET_HDR_F_DATA_VALID, or 0; in a tunnel optionally
     * TUNTAP_VNET_HDR_F_UDP_TUNNEL_CSUM. Other bits are ignored. What tuntap_read_super fills in can be
     * given to tuntap_write_super unchanged.
     */
    uint8_t flags;
    /**
     * One of TUNTAP_VNET_HDR_GSO_*. TCP may have _ECN; in a UDP tunnel each type has _UDP_TUNNEL_IPV4
     * or _UDP_TUNNEL_IPV6.
     */
    uint8_t gso_type;
    /**
     * Length of all headers. Only a hint: the kernel also sets other values.
     */
    uint16_t hdr_len;
    /**
     * Payload bytes of each segment. The last segment may have fewer.
     */
    uint16_t gso_size;
    /**
     * Offset at which checksumming starts: the offset of the TCP or UDP header, in a tunnel of the one
     * inside.
     */
    uint16_t csum_start;
    /**
     * Offset of the checksum field, from csum_start.
     */
    uint16_t csum_offset;
    /**
     * Number of buffers that the packet uses, for virtio devices. The kernel ignores it. A device
     * whose header has fewer than 12 bytes does not pass it on.
     */
    uint16_t num_buffers;
    /**
     * In a tunnel: offset of the tunnel's UDP header. Otherwise 0.
     */
    uint16_t outer_th_offset;
    /**
     * In a tunnel: offset of the IP header inside. Otherwise 0.
     */
    uint16_t inner_nh_offset;
} tuntap_vnet_hdr;

/**
 * Sets which offloads are on: which super-packets the device delivers, and what the writers of
 * this handle coalesce. All other offloads are turned off. The setting is shared by all queues of
 * the device. tuntap_open with TUNTAP_OFFLOAD turns on all offloads that the kernel and the
 * device's virtio header support. Packets that are already in the queue do not change. A writer
 * does not coalesce inside tunnels.
 *
 * @param dev       The handle.
 * @param offloads  TUNTAP_F_*, or 0. Each of them needs TUNTAP_F_CSUM, and TUNTAP_F_TSO_ECN also
 *                  needs TUNTAP_F_TSO4 or TUNTAP_F_TSO6. TUNTAP_F_UDP_TUNNEL_GSO_CSUM needs
 *                  TUNTAP_F_UDP_TUNNEL_GSO, which needs one of TSO4, TSO6 and USO4.
 * @param err       May be NULL.
 * @return 0, or
 *         -EINVAL      dev is NULL (_ARGUMENT); unknown bits (_FLAGS); not opened
 *                      with TUNTAP_OFFLOAD, or the virtio header of the device is shorter than
 *                      24 bytes or big-endian, and cannot describe tunnels (_MISMATCH);
 *         -EOPNOTSUPP  the kernel does not support this set, or a bit lacks the one that it
 *                      needs: TUNTAP_F_USO4 and TUNTAP_F_USO6 need Linux 6.2, and must be set
 *                      together; TUNTAP_F_UDP_TUNNEL_* need Linux 6.17 (_KERNEL);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_offloads(tuntap *dev, uint64_t offloads, tuntap_error *err);

/**
 * Returns the size of the virtio header that the kernel puts before each packet of this device.
 * It is the same for all queues: 24 or 10 on a new device (see tuntap_config_set_vnet_hdr_size),
 * or the size that another program has set (TUNSETVNETHDRSZ). No packet function shows the header
 * itself.
 *
 * The library reads the size and the byte order of the header when a handle is opened. If another
 * program changes either of them later, packets of the open handles are corrupt or refused. A
 * handle that is opened after the change works. A program that shortens the header below 24 bytes
 * must also turn off the offloads of tunnels (TUNSETOFFLOAD), or the kernel passes no packet.
 *
 * @param dev   The handle.
 * @param size  Receives the size in bytes.
 * @param err   May be NULL.
 * @return 0, or
 *         -EINVAL  dev or size is NULL (_ARGUMENT); not opened with TUNTAP_OFFLOAD
 *                  (_MISMATCH).
 * @since 0.1.0
 */
int tuntap_get_vnet_hdr_size(const tuntap *dev, size_t *size, tuntap_error *err);

/**
 * Reads a packet or a super-packet without segmentation, and its virtio header. The device must
 * be opened with TUNTAP_OFFLOAD. For programs that forward the super-packet whole: to another
 * device, or to a UDP socket with UDP_SEGMENT. A super-packet of a tunnel can be written to a TAP
 * only. A program that cannot forward them either turns them off with tuntap_set_offloads, so that the
 * kernel splits them, or splits them itself with tuntap_splitter_begin.
 *
 * @param dev       The handle.
 * @param hdr       Receives the virtio header. It does not depend on the size and byte order of the
 *                  device's header. Bytes of a longer header that this struct does not have are
 *                  dropped.
 * @param hdr_size  sizeof(tuntap_vnet_hdr). At least 10.
 * @param buf       Receives the packet.
 * @param size      Size of buf. tuntap_read_size returns a size that is always enough.
 * @param err       May be NULL.
 * @return As tuntap_read, or
 *         -EINVAL  hdr is NULL, or hdr_size is wrong (_ARGUMENT); not opened with
 *                  TUNTAP_OFFLOAD (_MISMATCH).
 * @since 0.1.0
 */
ssize_t tuntap_read_super(tuntap *dev, tuntap_vnet_hdr *hdr, size_t hdr_size, void *buf, size_t size, tuntap_error *err);

/**
 * Writes a packet or a super-packet, and its virtio header. The device must be opened with
 * TUNTAP_OFFLOAD.
 *
 * @param dev       The handle.
 * @param hdr       The virtio header. All zeros: a plain packet, with its checksum. If the device's
 *                  header is longer than this struct, the other bytes are 0.
 * @param hdr_size  sizeof(tuntap_vnet_hdr). At least 10.
 * @param buf       The packet.
 * @param size      Size of the packet.
 * @param err       May be NULL.
 * @return As tuntap_write, or
 *         -EINVAL  hdr is NULL, hdr_size is wrong, or a member of hdr that this version does not
 *                  know is not 0 (_ARGUMENT); not opened with TUNTAP_OFFLOAD
 *                  (_MISMATCH); the kernel refuses the header: a UDP super-packet needs Linux 6.2,
 *                  has at most 128 segments, and must have TUNTAP_VNET_HDR_F_NEEDS_CSUM; one in a
 *                  tunnel needs Linux 6.17 and a TAP with a virtio header of 24 bytes (_PACKET).
 * @since 0.1.0
 */
ssize_t tuntap_write_super(tuntap *dev, const tuntap_vnet_hdr *hdr, size_t hdr_size, const void *buf, size_t size, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Splitters
 *
 * Splitting super-packets into packets, in memory, without a device.
 */

/**
 * Creates a splitter, which segments super-packets in memory, without a device.
 *
 * @param flags     TUNTAP_TUN for IP packets or TUNTAP_TAP for Ethernet frames, and optionally
 *                  TUNTAP_TRUSTED.
 * @param splitter  Receives the splitter. Free it with tuntap_splitter_free.
 * @param err       May be NULL.
 * @return 0, or
 *         -EINVAL  splitter is NULL (_ARGUMENT); unknown flags, or not exactly one
 *                  of TUNTAP_TUN and TUNTAP_TAP (_FLAGS);
 *         -ENOMEM  no memory (_SYSTEM).
 * @since 0.1.0
 */
int tuntap_splitter_new(uint64_t flags, tuntap_splitter **splitter, tuntap_error *err);

/**
 * Frees a splitter.
 *
 * @param splitter  May be NULL.
 * @since 0.1.0
 */
void tuntap_splitter_free(tuntap_splitter *splitter);

/**
 * Begins to segment a packet, which may be a super-packet. Segments of the previous super-packet
 * that were not returned are dropped. Allocates no memory.
 *
 * @param splitter  The splitter.
 * @param hdr       The virtio header of the packet.
 * @param hdr_size  sizeof(tuntap_vnet_hdr). At least 10.
 * @param packet    The packet. It is segmented in place: do not use its memory for anything else
 *                  until tuntap_splitter_next returns 0.
 * @param size      Size of the packet.
 * @param err       May be NULL.
 * @return 0, or
 *         -EINVAL  splitter, hdr or packet is NULL, hdr_size is wrong, or a member of hdr that this
 *                  version does not know is not 0 (_ARGUMENT); longer than 65,557
 *                  bytes, or the packet does not match hdr (_PACKET). The packet is unchanged.
 * @since 0.1.0
 */
int tuntap_splitter_begin(tuntap_splitter *splitter, const tuntap_vnet_hdr *hdr, size_t hdr_size, void *packet, size_t size, tuntap_error *err);

/**
 * Returns the next segment, a plain packet with correct headers and checksums.
 *
 * @param splitter  The splitter.
 * @param packet    Receives the address of the segment, within the super-packet. The segment is
 *                  valid until the next call on this splitter, and may be modified in place.
 * @param err       May be NULL.
 * @return The size of the segment, or
 *         0        no segment is left;
 *         -EINVAL  splitter or packet is NULL (_ARGUMENT); the super-packet was
 *                  modified (_PACKET).
 * @since 0.1.0
 */
ssize_t tuntap_splitter_next(tuntap_splitter *splitter, void **packet, tuntap_error *err);

/**
 * Copies the next segment to the caller's memory, instead of returning it in place as
 * tuntap_splitter_next does. The copy and the checksum take one pass. For programs that keep several
 * segments, for example in a list.
 *
 * @param splitter  The splitter.
 * @param to        Receives the segment. Must not overlap with the super-packet.
 * @param size      Size of to.
 * @param err       May be NULL.
 * @return The size of the segment, or
 *         0          no segment is left;
 *         -EMSGSIZE  the segment is longer than size (_BUFFER). It is not lost: the
 *                    next call returns it;
 *         -EINVAL    splitter or to is NULL (_ARGUMENT); the super-packet was modified (_PACKET).
 * @since 0.1.0
 */
ssize_t tuntap_splitter_copy(tuntap_splitter *splitter, void *to, size_t size, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Joiners
 *
 * Joining packets into super-packets, in memory, without a device.
 */

/**
 * Creates a joiner, which coalesces packets into super-packets in memory, without a device.
 *
 * @param flags   TUNTAP_TUN for IP packets or TUNTAP_TAP for Ethernet frames, and optionally
 *                TUNTAP_TRUSTED.
 * @param joiner  Receives the joiner. Free it with tuntap_joiner_free.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL  joiner is NULL (_ARGUMENT); unknown flags, or not exactly one
 *                  of TUNTAP_TUN and TUNTAP_TAP (_FLAGS);
 *         -ENOMEM  no memory: a joiner needs 3.3 MB (_SYSTEM).
 * @since 0.1.0
 */
int tuntap_joiner_new(uint64_t flags, tuntap_joiner **joiner, tuntap_error *err);

/**
 * Frees a joiner, and the packets that it holds.
 *
 * @param joiner  May be NULL.
 * @since 0.1.0
 */
void tuntap_joiner_free(tuntap_joiner *joiner);

/**
 * Copies a packet to the joiner, and coalesces it with earlier packets by the rules of
 * tuntap_writer_new. Bytes that are not a packet of this kind are returned unchanged. Allocates no
 * memory.
 *
 * @param joiner  The joiner.
 * @param packet  The packet.
 * @param size    Size of the packet.
 * @param err     May be NULL.
 * @return 0, or
 *         -ENOBUFS   no room: take the collected packets with tuntap_joiner_next first
 *                    (_AGAIN);
 *         -EINVAL    joiner or packet is NULL (_ARGUMENT); size is 0 (_PACKET);
 *         -EMSGSIZE  longer than 65,557 bytes (_PACKET).
 * @since 0.1.0
 */
int tuntap_joiner_put(tuntap_joiner *joiner, const void *packet, size_t size, tuntap_error *err);

/**
 * Returns the next collected packet or super-packet. Nothing is added to it afterwards: packets
 * that are put later come after it.
 *
 * @param joiner    The joiner.
 * @param hdr       Receives the virtio header of the packet.
 * @param hdr_size  sizeof(tuntap_vnet_hdr). At least 10.
 * @param packet    Receives the address of the packet. The packet is valid until the next call on
 *                  this joiner, and may be modified in place.
 * @param err       May be NULL.
 * @return The size of the packet, or
 *         0        no packet is left, and there is room again;
 *         -EINVAL  joiner, hdr or packet is NULL, or hdr_size is wrong (_ARGUMENT).
 * @since 0.1.0
 */
ssize_t tuntap_joiner_next(tuntap_joiner *joiner, tuntap_vnet_hdr *hdr, size_t hdr_size, void **packet, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Programs and filters
 *
 * Programs and filters that the kernel runs for each packet.
 */

/**
 * tuntap_set_filter_mac: all multicast frames pass.
 */
#define TUNTAP_ALL_MULTICAST 0x1

#if !defined(_WIN32)
/**
 * Sets an eBPF program that selects the queue of each packet.
 *
 * It runs for each packet that the kernel sends through the device. Without a program the kernel
 * selects the queue by the hash of the flow. Linux: TUNSETSTEERINGEBPF.
 *
 * @param dev  The device.
 * @param fd   A program of BPF_PROG_TYPE_SOCKET_FILTER, from bpf(BPF_PROG_LOAD). It returns the
 *             number of the queue, modulo the number of attached queues. The kernel keeps a
 *             reference: the descriptor can be closed. -1: removes the program.
 * @param err  May be NULL.
 * @return 0, or
 *         -EINVAL  fd is not a program of this type (_ARGUMENT);
 *         -EINVAL  dev is NULL (_ARGUMENT);
 *         -EBADF   fd is not open (_ARGUMENT);
 *         -ENODEV  the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_steering_ebpf(tuntap *dev, int fd, tuntap_error *err);
#endif

#if !defined(_WIN32)
/**
 * Sets an eBPF program that selects the packets that the kernel sends through the device.
 *
 * Linux: TUNSETFILTEREBPF.
 *
 * @param dev  The device.
 * @param fd   A program of BPF_PROG_TYPE_SOCKET_FILTER. It returns the number of bytes of the packet
 *             to send: 0 drops it. The kernel keeps a reference: the descriptor can be closed. -1:
 *             removes the program.
 * @param err  May be NULL.
 * @return As tuntap_set_steering_ebpf.
 * @since 0.1.0
 */
int tuntap_set_filter_ebpf(tuntap *dev, int fd, tuntap_error *err);
#endif

/**
 * Sets a classic BPF filter that selects the frames that the kernel sends through a TAP.
 *
 * Linux: TUNATTACHFILTER.
 *
 * The filter applies to all attached queues, and to each queue that tuntap_open_queue or
 * tuntap_attach adds later through this handle or a handle related to it by tuntap_open_queue. While
 * a queue is added to a device with a filter, the kernel may drop frames.
 *
 * Queues that tuntap_open or another process opens get no filter. A persistent device that is opened
 * again therefore has none.
 *
 * @param dev     The device.
 * @param filter  Instructions of 8 bytes, in the layout of struct sock_filter of <linux/filter.h> and
 *                of bpf_insn of libpcap. The filter returns the number of bytes of the frame to send:
 *                0 drops it. NULL with a count of 0: removes the filter.
 * @param count   The number of instructions: at most 4096.
 * @param err     May be NULL.
 * @return 0, or
 *         -EINVAL      not a program that the kernel accepts (_ARGUMENT);
 *         -EINVAL      more than 4096 instructions (_RANGE);
 *         -EINVAL      dev is NULL, or filter is NULL and count is not 0 (_ARGUMENT);
 *         -EOPNOTSUPP  the device is a TUN (_KIND);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_filter_bpf(tuntap *dev, const void *filter, size_t count, tuntap_error *err);

/**
 * Selects the destination MAC addresses of the frames that the kernel sends through a TAP.
 *
 * The first eight match exactly. Further ones are multicast addresses that match by a hash, so
 * frames to some other groups pass too. Linux: TUNSETTXFILTER.
 *
 * @param dev    The device.
 * @param macs   The addresses: TUNTAP_MAC_SIZE (6) bytes each, without gaps. NULL with a count of 0:
 *               none.
 * @param count  The number of addresses: at most 65535. All after the eighth must be multicast
 *               addresses.
 * @param flags  0, or TUNTAP_ALL_MULTICAST. With 0 and a count of 0 the filter is removed: all frames
 *               pass.
 * @param err    May be NULL.
 * @return 0, or
 *         -EINVAL      unknown flags (_FLAGS);
 *         -EINVAL      more than 65535 addresses (_RANGE);
 *         -EINVAL      an address after the eighth is not multicast (_ADDRESS);
 *         -EINVAL      dev is NULL, or macs is NULL and count is not 0 (_ARGUMENT);
 *         -EOPNOTSUPP  the device is a TUN (_KIND);
 *         -ENODEV      the device is gone (_REMOVED).
 * @since 0.1.0
 */
int tuntap_set_filter_mac(tuntap *dev, const uint8_t *macs, size_t count, uint64_t flags, tuntap_error *err);

/* ----------------------------------------------------------------------------
 * Monitors
 *
 * Watching devices for changes.
 */

/**
 * tuntap_monitor_open: also reports routes.
 */
#define TUNTAP_MONITOR_ROUTES 0x1

/**
 * tuntap_monitor_open: also reports the default route of the system.
 */
#define TUNTAP_MONITOR_DEFAULT_ROUTE 0x2

/**
 * A device exists: it was created or moved here, or it existed when the monitor was opened or
 * after an overrun.
 */
#define TUNTAP_EVENT_DEVICE 1

/**
 * The device went up.
 */
#define TUNTAP_EVENT_UP 2

/**
 * The device went down. Its routes are removed with that, and on Linux its IPv6 addresses.
 */
#define TUNTAP_EVENT_DOWN 3

/**
 * The device has a carrier now.
 */
#define TUNTAP_EVENT_CARRIER_ON 4

/**
 * The device lost its carrier.
 */
#define TUNTAP_EVENT_CARRIER_OFF 5

/**
 * The MTU of the device changed.
 */
#define TUNTAP_EVENT_MTU 6

/**
 * The MAC address of the device changed.
 */
#define TUNTAP_EVENT_MAC 7

/**
 * The device was renamed.
 */
#define TUNTAP_EVENT_NAME 8

/**
 * An address was added. Linux announces an IPv6 address a moment after it was added. It can
 * still have TUNTAP_ADDR_TENTATIVE, and no event reports the end of duplicate address
 * detection: use tuntap_list_addrs.
 */
#define TUNTAP_EVENT_ADDR_ADDED 9

/**
 * An address was removed.
 */
#define TUNTAP_EVENT_ADDR_REMOVED 10

/**
 * The device is gone, with its remaining addresses and routes, for which no events follow.
 * TUNTAP_EVENT_DOWN, TUNTAP_EVENT_ADDR_REMOVED and TUNTAP_EVENT_ROUTE_REMOVED may precede
 * it, because the kernel takes a device down first.
 */
#define TUNTAP_EVENT_REMOVED 11

/**
 * Events were lost: the kernel's buffer for the monitor was full, or memory was missing.
 * Discard the known state: the current state follows, as after tuntap_monitor_open. A device
 * that is not reported again before TUNTAP_EVENT_COMPLETE is gone, without a
 * TUNTAP_EVENT_REMOVED. Only a monitor of one device reports TUNTAP_EVENT_REMOVED then,
 * directly after TUNTAP_EVENT_COMPLETE.
 */
#define TUNTAP_EVENT_OVERRUN 12

/**
 * The current state is complete: each device, each of its addresses and, with
 * TUNTAP_MONITOR_ROUTES, each of its routes has been reported. Later events are changes.
 */
#define TUNTAP_EVENT_COMPLETE 13

/**
 * A route through the device was added. Only with TUNTAP_MONITOR_ROUTES.
 */
#define TUNTAP_EVENT_ROUTE_ADDED 14

/**
 * A route through the device was removed or replaced. Only with TUNTAP_MONITOR_ROUTES. For a
 * replaced route this event follows the TUNTAP_EVENT_ROUTE_ADDED of the new one.
 */
#define TUNTAP_EVENT_ROUTE_REMOVED 15

/**
 * The device was moved to another network namespace, and the monitor does not follow it.
 * Otherwise as TUNTAP_EVENT_REMOVED, which replaces it on a kernel that does not report
 * where the device went.
 */
#define TUNTAP_EVENT_MOVED 16

/**
 * The default route of the system changed, or the name, the MTU or the carrier of its interface.
 * If destination is empty, the family has no default route. Only with
 * TUNTAP_MONITOR_DEFAULT_ROUTE. The event has the route, and the state of its interface, which
 * can be of any kind. It is the default route of the main table with the lowest metric, even one
 * through a TUN; of several with this metric, the one that the system prefers while all their
 * gateways can be reached. If it discards packets, there is none. Routes of
 * tuntap_add_default_route, routes with several next hops, routes for a type of service or a
 * source network, and more specific routes are not taken into account: call tuntap_find_route
 * for a destination. Before TUNTAP_EVENT_COMPLETE there is one event for each family that has a
 * default route.
 */
#define TUNTAP_EVENT_DEFAULT_ROUTE 17

/**
 * An event, with the state of the device after it. Later versions may add members at the end.
 */
typedef struct tuntap_event {
    /**
     * A TUNTAP_EVENT_*. Later versions may add kinds: ignore unknown ones. For
     * TUNTAP_EVENT_OVERRUN and TUNTAP_EVENT_COMPLETE all other members are 0.
     */
    uint32_t kind;
    /**
     * The index of the device.
     */
    uint32_t index;
    /**
     * The flags of the device, as in tuntap_list.
     */
    uint64_t flags;
    /**
     * The MTU of the device.
     */
    uint32_t mtu;
    /**
     * Address and route events, TUNTAP_EVENT_DEFAULT_ROUTE: TUNTAP_IPV4 or TUNTAP_IPV6.
     */
    uint32_t family;
    /**
     * Address events: TUNTAP_ADDR_*.
     */
    uint64_t addr_flags;
    /**
     * Route events: TUNTAP_ROUTE_*.
     */
    uint64_t route_flags;
    /**
     * Address and route events: a TUNTAP_SCOPE_*.
     */
    uint32_t scope;
    /**
     * Route events: a TUNTAP_ROUTE_TYPE_*.
     */
    uint32_t route_type;
    /**
     * Address and route events: the origin, as in a tuntap_addr or a tuntap_route.
     */
    uint32_t protocol;
    /**
     * Route events: the MTU of the route in bytes. 0: the MTU of the device.
     */
    uint32_t route_mtu;
    /**
     * Route events: the metric.
     */
    uint32_t metric;
    /**
     * Route events: the number of the routing table.
     */
    uint32_t table;
    /**
     * Not 0: the device is up.
     */
    uint8_t up;
    /**
     * Not 0: the device has a carrier.
     */
    uint8_t carrier;
    /**
     * The MAC address of the device; all 0 for a TUN.
     */
    uint8_t mac[TUNTAP_MAC_SIZE];
    /**
     * The name of the device.
     */
    char name[TUNTAP_NAME_SIZE];
    /**
     * Address events: the address with its prefix length, such as "10.8.0.1/24" or "fd00::1/64".
     */
    char addr[TUNTAP_ADDR_SIZE];
    /**
     * Address events: the peer, such as "10.8.0.2". "": none.
     */
    char peer[TUNTAP_ADDR_SIZE];
    /**
     * Route events: the destination with its prefix length, such as "10.9.0.0/16".
     */
    char destination[TUNTAP_ADDR_SIZE];
    /**
     * Route events: the gateway, such as "10.8.0.2". "": none.
     */
    char gateway[TUNTAP_ADDR_SIZE];
    /**
     * Route events: the source address of packets. "": the system chooses.
     */
    char source[TUNTAP_ADDR_SIZE];
} tuntap_event;

/**
 * Opens a monitor of one device, or of all TUN and TAP devices.
 *
 * The first events report the current state and end with TUNTAP_EVENT_COMPLETE. After that each
 * change is an event, in the order of the changes. TUNTAP_EVENT_OVERRUN reports that events were
 * lost. Changes of the flags or lifetimes of an address are not reported. A monitor needs no
 * privilege, except for a handle of tuntap_open_fd: see Namespace.
 *
 * A monitor of one device does not need its handle, and does not keep the device alive: close them in
 * any order. One thread at a time takes events.
 *
 * Linux: rtnetlink. The kernel announces a change of the carrier and a new IPv6 address a moment
 * later. It does not announce a carrier that has changed back by then, or an address that has been
 * removed by then. It does not announce every route that is removed: when one may have been, the
 * monitor lists the routes again. A route that is added and removed in the meantime can be missed.
 *
 * Darwin: PF_ROUTE and kernel events. Neither reports what a slow reader has lost, so the monitor
 * reads the state of the interfaces after each announcement. All changes that last are reported, and
 * there is no TUNTAP_EVENT_OVERRUN. Both interfaces of a TAP are reported as devices.
 *
 * @param dev      The device, in its network namespace. NULL: all devices of the calling thread's
 *                 network namespace.
 * @param flags    0: devices and their addresses. TUNTAP_MONITOR_ROUTES: also the routes through
 *                 them, as in tuntap_list_routes. TUNTAP_MONITOR_DEFAULT_ROUTE: also the default
 *                 route of the system, which a VPN uses to reach its server. Without these flags the
 *                 library does not receive the kernel's announcements of routes.
 * @param monitor  Receives the monitor; tuntap_monitor_close frees it.
 * @param err      May be NULL.
 * @return 0, or
 *         -EINVAL      unknown flags (_FLAGS);
 *         -EINVAL      monitor is NULL (_ARGUMENT);
 *         -ENODEV      the device is gone (_REMOVED);
 *         -EXDEV       this process cannot enter the network namespace of the device
 *                      (_NAMESPACE);
 *         -EMFILE, -ENOMEM, ...  no resources (_SYSTEM);
 *         -EOPNOTSUPP  this operating system has no monitor (_PLATFORM).
 * @since 0.1.0
 */
int tuntap_monitor_open(const tuntap *dev, uint64_t flags, tuntap_monitor **monitor, tuntap_error *err);

/**
 * Closes and frees a monitor.
 *
 * No other call may use it at that moment or later. To end a thread that waits in
 * tuntap_monitor_next, call tuntap_monitor_shutdown, join the thread, and then close.
 *
 * @param monitor  The monitor. May be NULL.
 * @since 0.1.0
 */
void tuntap_monitor_close(tuntap_monitor *monitor);

#if !defined(_WIN32)
/**
 * Gets the descriptor for poll, epoll or select.
 *
 * It is readable when tuntap_monitor_next has something to process. Events can also be queued in
 * the monitor while it is not readable: before each wait, also the first, take events until
 * the call fails: with -ETIMEDOUT, or -ENODEV when the device is gone. The descriptor belongs to
 * the library. Darwin: a kqueue.
 *
 * @param monitor  The monitor.
 * @param err      May be NULL.
 * @return The descriptor, or
 *         -EINVAL  monitor is NULL (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_monitor_get_fd(const tuntap_monitor *monitor, tuntap_error *err);
#endif

/**
 * Ends the tuntap_monitor_next that waits, and every later one.
 *
 * They return -ECANCELED with TUNTAP_REASON_SHUTDOWN. Any thread and any signal handler
 * may call it. It does not make the descriptor of tuntap_monitor_get_fd readable.
 *
 * @param monitor  The monitor. May be NULL.
 * @since 0.1.0
 */
void tuntap_monitor_shutdown(tuntap_monitor *monitor);

/**
 * Takes the next event, and waits until there is one.
 *
 * tuntap_monitor_shutdown ends the wait from another thread.
 *
 * @param monitor       The monitor.
 * @param event         Receives the event.
 * @param size          sizeof(tuntap_event).
 * @param milliseconds  The time limit, on the monotonic clock. 0: does not wait. Negative: no limit.
 * @param err           May be NULL.
 * @return 0, or
 *         -ETIMEDOUT  no event within the time limit (_TIMEOUT);
 *         -EINTR      a signal handler ran during the wait (_INTERRUPTED);
 *         -ECANCELED  the monitor is shut down (_SHUTDOWN);
 *         -ENODEV     the only device of the monitor is gone, and an event has reported that
 *                     (_REMOVED);
 *         -EBUSY      another thread is taking an event of this monitor (_BUSY);
 *         -ENOMEM     no memory for an event: TUNTAP_EVENT_OVERRUN is the next event
 *                     (_SYSTEM);
 *         -EINVAL     monitor or event is NULL, or size is too small (_ARGUMENT).
 * @since 0.1.0
 */
int tuntap_monitor_next(tuntap_monitor *monitor, tuntap_event *event, size_t size, int32_t milliseconds, tuntap_error *err);

/**
 * Describes a kind of event in a few words, such as "address added".
 *
 * @param kind  A TUNTAP_EVENT_*.
 * @return A constant string; "unknown event" for a number that this version does not know. Cannot
 *         fail. Safe in a signal handler.
 * @since 0.1.0
 */
const char *tuntap_strevent(uint32_t kind);

/* ----------------------------------------------------------------------------
 * Version and features
 *
 * The version of the library, and its features on this operating system.
 */

/**
 * The version of the header that a program is compiled with. tuntap_version returns the
 * version of the library that is running.
 */
#define TUNTAP_VERSION_MAJOR 0

/**
 * Incremented with every addition to the ABI.
 */
#define TUNTAP_VERSION_MINOR 1

/**
 * Incremented with every other release.
 */
#define TUNTAP_VERSION_PATCH 0

/**
 * The version as one number, 0xMMmmpp, to compare. tuntap_version_number returns the
 * number of the library that is running.
 */
#define TUNTAP_VERSION_NUMBER 0x100

/**
 * TUN devices, which carry IP packets.
 */
#define TUNTAP_FEATURE_TUN 1

/**
 * TAP devices, which carry Ethernet frames.
 */
#define TUNTAP_FEATURE_TAP 2

/**
 * The packet-information header, TUNTAP_PI.
 */
#define TUNTAP_FEATURE_PI 3

/**
 * Several queues for one device, TUNTAP_MULTI_QUEUE.
 */
#define TUNTAP_FEATURE_MULTI_QUEUE 4

/**
 * Devices that stay after their last handle is closed, TUNTAP_PERSIST.
 */
#define TUNTAP_FEATURE_PERSIST 5

/**
 * Devices that a user or the members of a group may open without privilege.
 */
#define TUNTAP_FEATURE_OWNER 6

/**
 * IPv4 addresses.
 */
#define TUNTAP_FEATURE_IPV4 7

/**
 * IPv6 addresses.
 */
#define TUNTAP_FEATURE_IPV6 8

/**
 * Routes through the device.
 */
#define TUNTAP_FEATURE_ROUTE 9

/**
 * tuntap_set_name and tuntap_set_alias.
 */
#define TUNTAP_FEATURE_RENAME 10

/**
 * tuntap_set_carrier.
 */
#define TUNTAP_FEATURE_CARRIER 11

/**
 * Network namespaces: tuntap_config_set_netns and tuntap_set_netns.
 */
#define TUNTAP_FEATURE_NETNS 12

/**
 * tuntap_wake, tuntap_shutdown and tuntap_wait.
 */
#define TUNTAP_FEATURE_WAKE 13

/**
 * Monitors.
 */
#define TUNTAP_FEATURE_MONITOR 14

/**
 * Steering and filter programs.
 */
#define TUNTAP_FEATURE_STEERING 15

/**
 * TUNTAP_NAPI and TUNTAP_NAPI_FRAGS.
 */
#define TUNTAP_FEATURE_NAPI 16

/**
 * Super-packets, TUNTAP_OFFLOAD.
 */
#define TUNTAP_FEATURE_OFFLOAD 17

/**
 * Super-packets of UDP.
 */
#define TUNTAP_FEATURE_USO 18

/**
 * Configuring a device that was moved to another network namespace.
 */
#define TUNTAP_FEATURE_FOLLOW 19

/**
 * tuntap_find_route.
 */
#define TUNTAP_FEATURE_FIND_ROUTE 20

/**
 * tuntap_add_default_route.
 */
#define TUNTAP_FEATURE_DEFAULT_ROUTE 21

/**
 * tuntap_add_bypass.
 */
#define TUNTAP_FEATURE_BYPASS 22

/**
 * tuntap_set_master.
 */
#define TUNTAP_FEATURE_MASTER 23

/**
 * tuntap_set_ipv6.
 */
#define TUNTAP_FEATURE_IPV6_SETTINGS 24

/**
 * Super-packets of TCP and UDP inside UDP tunnels.
 */
#define TUNTAP_FEATURE_TUNNEL_GSO 25

/**
 * Returns the version of the library that is running, for example "0.1.0". Safe in a
 * signal handler.
 *
 * @return A constant. Cannot fail.
 * @since 0.1.0
 */
const char *tuntap_version(void);

/**
 * Returns the version of the library that is running as a number: 0xMMmmpp. Safe in a
 * signal handler.
 *
 * @return A constant, to compare with TUNTAP_VERSION_NUMBER. Cannot fail.
 * @since 0.1.0
 */
uint32_t tuntap_version_number(void);

/**
 * Returns whether this library supports a feature on this operating system. It makes no
 * system call: the kernel can still be too old, or the process can lack the privilege, and
 * then the call that needs the feature fails. tuntap_probe queries the kernel.
 *
 * @param feature  A TUNTAP_FEATURE_*.
 * @return 1 if it does. 0 if it does not, or if this version does not know the number.
 *         Cannot fail.
 * @since 0.1.0
 */
int tuntap_has(uint32_t feature);

#ifdef __cplusplus
}
#endif

#endif /* TUNTAP_H */
