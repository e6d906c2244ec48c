// SPDX-License-Identifier: MIT
//! The constants, structure sizes and member offsets of Darwin that are used here, each with the C expression for its
//! value. `make check-darwin` compares them with Darwin's headers by a C compiler.
//!
//! They are the same on arm64 and x86-64. They are not taken from the libc crate, which has them only for the target of
//! the build: so the backend can also run on another system, over a simulated kernel.

use std::ffi::{c_int, c_ulong};

const VOID: c_ulong = 0x2000_0000;
const OUT: c_ulong = 0x4000_0000;
const IN: c_ulong = 0x8000_0000;

/// An ioctl request: the direction of its argument, its group, its number in the group, and the size of its argument.
const fn ioc(direction: c_ulong, group: u8, number: u8, size: usize) -> c_ulong {
    direction | ((size as c_ulong & 0x1fff) << 16) | ((group as c_ulong) << 8) | number as c_ulong
}

macro_rules! layout {
    ($($name:ident: $type:ty = $value:expr, $c:literal;)*) => {
        $(
            #[doc = $c]
            #[allow(dead_code, reason = "some are used only by the simulated kernel")]
            pub(super) const $name: $type = $value;
        )*

        #[cfg(test)]
        const ALL: &[(&str, u64)] = &[$(($c, $name as u64)),*];
    };
}

layout! {
    AF_INET: c_int = 2, "AF_INET";
    AF_INET6: c_int = 30, "AF_INET6";
    AF_LINK: c_int = 18, "AF_LINK";
    PF_NDRV: c_int = 27, "PF_NDRV";
    PF_ROUTE: c_int = 17, "PF_ROUTE";
    PF_SYSTEM: c_int = 32, "PF_SYSTEM";
    AF_SYS_CONTROL: u16 = 2, "AF_SYS_CONTROL";
    SYSPROTO_CONTROL: c_int = 2, "SYSPROTO_CONTROL";
    SYSPROTO_EVENT: c_int = 1, "SYSPROTO_EVENT";
    SOCK_DGRAM: c_int = 2, "SOCK_DGRAM";
    SOCK_RAW: c_int = 3, "SOCK_RAW";
    SOL_SOCKET: c_int = 0xffff, "SOL_SOCKET";
    SO_SNDBUF: c_int = 0x1001, "SO_SNDBUF";
    SO_RCVBUF: c_int = 0x1002, "SO_RCVBUF";
    SO_NOSIGPIPE: c_int = 0x1022, "SO_NOSIGPIPE";

    SOCKADDR_IN_SIZE: usize = 16, "sizeof(struct sockaddr_in)";
    SOCKADDR_IN_ADDR: usize = 4, "offsetof(struct sockaddr_in, sin_addr)";
    SOCKADDR_IN6_SIZE: usize = 28, "sizeof(struct sockaddr_in6)";
    SOCKADDR_IN6_ADDR: usize = 8, "offsetof(struct sockaddr_in6, sin6_addr)";
    SOCKADDR_FAMILY: usize = 1, "offsetof(struct sockaddr, sa_family)";
    SOCKADDR_DL_SIZE: usize = 20, "sizeof(struct sockaddr_dl)";
    SOCKADDR_DL_INDEX: usize = 2, "offsetof(struct sockaddr_dl, sdl_index)";
    SOCKADDR_DL_NLEN: usize = 5, "offsetof(struct sockaddr_dl, sdl_nlen)";
    SOCKADDR_DL_ALEN: usize = 6, "offsetof(struct sockaddr_dl, sdl_alen)";
    SOCKADDR_DL_DATA: usize = 8, "offsetof(struct sockaddr_dl, sdl_data)";

    CTLIOCGINFO: c_ulong = ioc(IN | OUT, b'N', 3, CTL_INFO_SIZE), "CTLIOCGINFO";
    CTL_INFO_SIZE: usize = 100, "sizeof(struct ctl_info)";
    CTL_INFO_ID: usize = 0, "offsetof(struct ctl_info, ctl_id)";
    CTL_INFO_NAME: usize = 4, "offsetof(struct ctl_info, ctl_name)";
    SOCKADDR_CTL_SIZE: usize = 32, "sizeof(struct sockaddr_ctl)";
    SOCKADDR_CTL_SYSADDR: usize = 2, "offsetof(struct sockaddr_ctl, ss_sysaddr)";
    SOCKADDR_CTL_ID: usize = 4, "offsetof(struct sockaddr_ctl, sc_id)";
    SOCKADDR_CTL_UNIT: usize = 8, "offsetof(struct sockaddr_ctl, sc_unit)";
    UTUN_OPT_FLAGS: c_int = 1, "UTUN_OPT_FLAGS";
    UTUN_FLAGS_ENABLE_PROC_UUID: u32 = 0x4, "UTUN_FLAGS_ENABLE_PROC_UUID";
    UTUN_OPT_IFNAME: c_int = 2, "UTUN_OPT_IFNAME";
    UTUN_OPT_MAX_PENDING_PACKETS: c_int = 16, "UTUN_OPT_MAX_PENDING_PACKETS";

    IFREQ_SIZE: usize = 32, "sizeof(struct ifreq)";
    IFREQ_VALUE: usize = 16, "offsetof(struct ifreq, ifr_ifru)";
    IFREQ_MTU_MIN: usize = 20, "offsetof(struct ifreq, ifr_ifru.ifru_devmtu.ifdm_min)";
    IFREQ_MTU_MAX: usize = 24, "offsetof(struct ifreq, ifr_ifru.ifru_devmtu.ifdm_max)";
    SIOCGIFFLAGS: c_ulong = ioc(IN | OUT, b'i', 17, IFREQ_SIZE), "SIOCGIFFLAGS";
    SIOCSIFFLAGS: c_ulong = ioc(IN, b'i', 16, IFREQ_SIZE), "SIOCSIFFLAGS";
    SIOCSIFMTU: c_ulong = ioc(IN, b'i', 52, IFREQ_SIZE), "SIOCSIFMTU";
    SIOCGIFDEVMTU: c_ulong = ioc(IN | OUT, b'i', 68, IFREQ_SIZE), "SIOCGIFDEVMTU";
    SIOCSIFLLADDR: c_ulong = ioc(IN, b'i', 60, IFREQ_SIZE), "SIOCSIFLLADDR";
    SIOCIFCREATE: c_ulong = ioc(IN | OUT, b'i', 120, IFREQ_SIZE), "SIOCIFCREATE";
    SIOCIFDESTROY: c_ulong = ioc(IN, b'i', 121, IFREQ_SIZE), "SIOCIFDESTROY";
    SIOCDIFADDR: c_ulong = ioc(IN, b'i', 25, IFREQ_SIZE), "SIOCDIFADDR";
    SIOCAIFADDR: c_ulong = ioc(IN, b'i', 26, IFALIASREQ_SIZE), "SIOCAIFADDR";
    IFALIASREQ_SIZE: usize = 64, "sizeof(struct ifaliasreq)";
    IFALIASREQ_ADDR: usize = 16, "offsetof(struct ifaliasreq, ifra_addr)";
    IFALIASREQ_BROADADDR: usize = 32, "offsetof(struct ifaliasreq, ifra_broadaddr)";
    IFALIASREQ_MASK: usize = 48, "offsetof(struct ifaliasreq, ifra_mask)";
    IFF_UP: u32 = 0x1, "IFF_UP";
    IFF_POINTOPOINT: u32 = 0x10, "IFF_POINTOPOINT";
    IFF_RUNNING: u32 = 0x40, "IFF_RUNNING";
    IF_NAME_SIZE: usize = 16, "IFNAMSIZ";

    // sys/sys_domain.h (SYSPROTO_CONTROL, SYSPROTO_EVENT and AF_SYS_CONTROL above) and netinet6/in6_var.h. Some copies
    // of Darwin's headers lack them. Then the check declares the structures from their fields in XNU, with sockaddr_in6
    // and time_t from Darwin's headers.
    SIOCDIFADDR_IN6: c_ulong = ioc(IN, b'i', 25, IN6_IFREQ_SIZE), "SIOCDIFADDR_IN6";
    SIOCGIFAFLAG_IN6: c_ulong = ioc(IN | OUT, b'i', 73, IN6_IFREQ_SIZE), "SIOCGIFAFLAG_IN6";
    IN6_IFREQ_SIZE: usize = 288, "sizeof(struct in6_ifreq)";
    IN6_IFREQ_VALUE: usize = 16, "offsetof(struct in6_ifreq, ifr_ifru)";
    SIOCAIFADDR_IN6: c_ulong = ioc(IN, b'i', 26, IN6_ALIASREQ_SIZE), "SIOCAIFADDR_IN6";
    IN6_ALIASREQ_SIZE: usize = 128, "sizeof(struct in6_aliasreq)";
    IN6_ALIASREQ_ADDR: usize = 16, "offsetof(struct in6_aliasreq, ifra_addr)";
    IN6_ALIASREQ_DSTADDR: usize = 44, "offsetof(struct in6_aliasreq, ifra_dstaddr)";
    IN6_ALIASREQ_MASK: usize = 72, "offsetof(struct in6_aliasreq, ifra_prefixmask)";
    IN6_ALIASREQ_FLAGS: usize = 100, "offsetof(struct in6_aliasreq, ifra_flags)";
    IN6_ALIASREQ_VALID: usize = 120, "offsetof(struct in6_aliasreq, ifra_lifetime.ia6t_vltime)";
    IN6_ALIASREQ_PREFERRED: usize = 124, "offsetof(struct in6_aliasreq, ifra_lifetime.ia6t_pltime)";

    // sys/kern_event.h, for which the same is true, and net/net_kev.h.
    SIOCSKEVFILT: c_ulong = ioc(IN, b'e', 2, KEV_REQUEST_SIZE), "SIOCSKEVFILT";
    KEV_REQUEST_SIZE: usize = 12, "sizeof(struct kev_request)";
    KEV_REQUEST_VENDOR: usize = 0, "offsetof(struct kev_request, vendor_code)";
    KEV_REQUEST_CLASS: usize = 4, "offsetof(struct kev_request, kev_class)";
    KEV_REQUEST_SUBCLASS: usize = 8, "offsetof(struct kev_request, kev_subclass)";
    KEV_VENDOR_APPLE: u32 = 1, "KEV_VENDOR_APPLE";
    KEV_NETWORK_CLASS: u32 = 1, "KEV_NETWORK_CLASS";
    KEV_ANY_SUBCLASS: u32 = 0, "KEV_ANY_SUBCLASS";
    KEV_INET_SUBCLASS: u32 = 1, "KEV_INET_SUBCLASS";
    KEV_INET_NEW_ADDR: u32 = 1, "KEV_INET_NEW_ADDR";
    KEV_INET_ADDR_DELETED: u32 = 3, "KEV_INET_ADDR_DELETED";
    KEV_INET6_SUBCLASS: u32 = 6, "KEV_INET6_SUBCLASS";
    KEV_INET6_NEW_USER_ADDR: u32 = 1, "KEV_INET6_NEW_USER_ADDR";
    KEV_INET6_ADDR_DELETED: u32 = 3, "KEV_INET6_ADDR_DELETED";
    KEV_DL_SUBCLASS: u32 = 2, "KEV_DL_SUBCLASS";
    KEV_DL_SIFFLAGS: u32 = 1, "KEV_DL_SIFFLAGS";
    KEV_DL_SIFMTU: u32 = 3, "KEV_DL_SIFMTU";
    KEV_DL_IF_ATTACHED: u32 = 9, "KEV_DL_IF_ATTACHED";
    KEV_DL_IF_DETACHED: u32 = 11, "KEV_DL_IF_DETACHED";
    KEV_DL_LINK_OFF: u32 = 12, "KEV_DL_LINK_OFF";
    KEV_DL_LINK_ON: u32 = 13, "KEV_DL_LINK_ON";
    KEV_DL_LINK_ADDRESS_CHANGED: u32 = 16, "KEV_DL_LINK_ADDRESS_CHANGED";
    KERN_EVENT_MSG_DATA: usize = 24, "offsetof(struct kern_event_msg, event_data)";

    // net/if_fake_var.h is only in XNU: declared as above.
    SIOCSDRVSPEC: c_ulong = ioc(IN, b'i', 123, IFDRV_SIZE), "SIOCSDRVSPEC";
    IFDRV_SIZE: usize = 40, "sizeof(struct ifdrv)";
    IF_FAKE_REQUEST_SIZE: usize = 160, "sizeof(struct if_fake_request)";
    IF_FAKE_REQUEST_PEER: usize = 32, "offsetof(struct if_fake_request, iffr_u.iffru_peer_name)";

    SOCKADDR_NDRV_SIZE: usize = 18, "sizeof(struct sockaddr_ndrv)";
    SOCKADDR_NDRV_NAME: usize = 2, "offsetof(struct sockaddr_ndrv, snd_name)";
    BIOCSBLEN: c_ulong = ioc(IN | OUT, b'B', 102, 4), "BIOCSBLEN";
    BIOCPROMISC: c_ulong = ioc(VOID, b'B', 105, 0), "BIOCPROMISC";
    BIOCSETIF: c_ulong = ioc(IN, b'B', 108, IFREQ_SIZE), "BIOCSETIF";
    BIOCIMMEDIATE: c_ulong = ioc(IN, b'B', 112, 4), "BIOCIMMEDIATE";
    BIOCSSEESENT: c_ulong = ioc(IN, b'B', 119, 4), "BIOCSSEESENT";
    BPF_HDR_CAPLEN: usize = 8, "offsetof(struct bpf_hdr, bh_caplen)";
    BPF_HDR_DATALEN: usize = 12, "offsetof(struct bpf_hdr, bh_datalen)";
    BPF_HDR_HDRLEN: usize = 16, "offsetof(struct bpf_hdr, bh_hdrlen)";
    BPF_ALIGNMENT: usize = 4, "BPF_WORDALIGN(1)";

    CTL_NET: c_int = 4, "CTL_NET";
    NET_RT_DUMP: c_int = 1, "NET_RT_DUMP";
    NET_RT_IFLIST2: c_int = 6, "NET_RT_IFLIST2";
    RTM_VERSION: u8 = 5, "RTM_VERSION";
    RTM_ADD: u8 = 0x1, "RTM_ADD";
    RTM_DELETE: u8 = 0x2, "RTM_DELETE";
    RTM_GET: u8 = 0x4, "RTM_GET";
    RTM_NEWADDR: u8 = 0xc, "RTM_NEWADDR";
    RTM_DELADDR: u8 = 0xd, "RTM_DELADDR";
    RTM_IFINFO: u8 = 0xe, "RTM_IFINFO";
    RTM_IFINFO2: u8 = 0x12, "RTM_IFINFO2";
    RT_MSGHDR_SIZE: usize = 92, "sizeof(struct rt_msghdr)";
    RT_MSGHDR_VERSION: usize = 2, "offsetof(struct rt_msghdr, rtm_version)";
    RT_MSGHDR_TYPE: usize = 3, "offsetof(struct rt_msghdr, rtm_type)";
    RT_MSGHDR_INDEX: usize = 4, "offsetof(struct rt_msghdr, rtm_index)";
    RT_MSGHDR_FLAGS: usize = 8, "offsetof(struct rt_msghdr, rtm_flags)";
    RT_MSGHDR_ADDRS: usize = 12, "offsetof(struct rt_msghdr, rtm_addrs)";
    RT_MSGHDR_PID: usize = 16, "offsetof(struct rt_msghdr, rtm_pid)";
    RT_MSGHDR_SEQ: usize = 20, "offsetof(struct rt_msghdr, rtm_seq)";
    RT_MSGHDR_ERRNO: usize = 24, "offsetof(struct rt_msghdr, rtm_errno)";
    RT_MSGHDR_MTU: usize = 40, "offsetof(struct rt_msghdr, rtm_rmx.rmx_mtu)";
    RTF_UP: u32 = 0x1, "RTF_UP";
    RTF_GATEWAY: u32 = 0x2, "RTF_GATEWAY";
    RTF_HOST: u32 = 0x4, "RTF_HOST";
    RTF_REJECT: u32 = 0x8, "RTF_REJECT";
    RTF_DONE: u32 = 0x40, "RTF_DONE";
    RTF_LLINFO: u32 = 0x400, "RTF_LLINFO";
    RTF_STATIC: u32 = 0x800, "RTF_STATIC";
    RTF_BLACKHOLE: u32 = 0x1000, "RTF_BLACKHOLE";
    RTF_WASCLONED: u32 = 0x2_0000, "RTF_WASCLONED";
    RTF_LOCAL: u32 = 0x20_0000, "RTF_LOCAL";
    RTF_BROADCAST: u32 = 0x40_0000, "RTF_BROADCAST";
    RTF_MULTICAST: u32 = 0x80_0000, "RTF_MULTICAST";
    RTF_IFSCOPE: u32 = 0x100_0000, "RTF_IFSCOPE";
    RTA_DST: u32 = 0x1, "RTA_DST";
    RTA_GATEWAY: u32 = 0x2, "RTA_GATEWAY";
    RTA_NETMASK: u32 = 0x4, "RTA_NETMASK";
    RTA_IFP: u32 = 0x10, "RTA_IFP";
    RTA_IFA: u32 = 0x20, "RTA_IFA";
    RTA_BRD: u32 = 0x80, "RTA_BRD";
    IFA_MSGHDR_SIZE: usize = 20, "sizeof(struct ifa_msghdr)";
    IFA_MSGHDR_ADDRS: usize = 4, "offsetof(struct ifa_msghdr, ifam_addrs)";
    IFA_MSGHDR_INDEX: usize = 12, "offsetof(struct ifa_msghdr, ifam_index)";
    IF_MSGHDR_SIZE: usize = 112, "sizeof(struct if_msghdr)";
    IF_MSGHDR_FLAGS: usize = 8, "offsetof(struct if_msghdr, ifm_flags)";
    IF_MSGHDR_INDEX: usize = 12, "offsetof(struct if_msghdr, ifm_index)";
    IF_MSGHDR_MTU: usize = 24, "offsetof(struct if_msghdr, ifm_data.ifi_mtu)";
    IF_MSGHDR2_SIZE: usize = 160, "sizeof(struct if_msghdr2)";
    IF_MSGHDR2_ADDRS: usize = 4, "offsetof(struct if_msghdr2, ifm_addrs)";
    IF_MSGHDR2_FLAGS: usize = 8, "offsetof(struct if_msghdr2, ifm_flags)";
    IF_MSGHDR2_INDEX: usize = 12, "offsetof(struct if_msghdr2, ifm_index)";
    IF_MSGHDR2_SND_MAXLEN: usize = 20, "offsetof(struct if_msghdr2, ifm_snd_maxlen)";
    IF_MSGHDR2_SND_DROPS: usize = 24, "offsetof(struct if_msghdr2, ifm_snd_drops)";
    IF_MSGHDR2_MTU: usize = 40, "offsetof(struct if_msghdr2, ifm_data.ifi_mtu)";
    IF_MSGHDR2_IPACKETS: usize = 56, "offsetof(struct if_msghdr2, ifm_data.ifi_ipackets)";
    IF_MSGHDR2_IERRORS: usize = 64, "offsetof(struct if_msghdr2, ifm_data.ifi_ierrors)";
    IF_MSGHDR2_OPACKETS: usize = 72, "offsetof(struct if_msghdr2, ifm_data.ifi_opackets)";
    IF_MSGHDR2_OERRORS: usize = 80, "offsetof(struct if_msghdr2, ifm_data.ifi_oerrors)";
    IF_MSGHDR2_IBYTES: usize = 96, "offsetof(struct if_msghdr2, ifm_data.ifi_ibytes)";
    IF_MSGHDR2_OBYTES: usize = 104, "offsetof(struct if_msghdr2, ifm_data.ifi_obytes)";
    IF_MSGHDR2_IQDROPS: usize = 128, "offsetof(struct if_msghdr2, ifm_data.ifi_iqdrops)";
}

/// net/if_utun.h: the name of utun's kernel control.
pub(super) const UTUN_CONTROL_NAME: &[u8] = b"com.apple.net.utun_control";
/// net/if_fake_var.h: IF_FAKE_S_CMD_SET_PEER.
pub(super) const FAKE_SET_PEER: c_ulong = 1;
/// net/rtsock.c: the alignment of the sockaddrs in a routing message.
pub(super) const MESSAGE_ALIGNMENT: usize = 4;

/// netinet6/in6_var.h: IN6_IFF_*, the flags of an IPv6 address.
pub(super) mod in6_iff {
    pub(in super::super) const TENTATIVE: u32 = 0x2;
    pub(in super::super) const DUPLICATED: u32 = 0x4;
    pub(in super::super) const DEPRECATED: u32 = 0x10;
    pub(in super::super) const NODAD: u32 = 0x20;
    pub(in super::super) const AUTOCONF: u32 = 0x40;
    pub(in super::super) const TEMPORARY: u32 = 0x80;
    pub(in super::super) const DYNAMIC: u32 = 0x100;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    /// Declarations that Darwin's headers may lack.
    const MISSING: &str = "
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <sys/sockio.h>
#include <sys/kern_control.h>
#include <sys/sysctl.h>
#include <net/bpf.h>
#include <net/if.h>
#include <net/if_dl.h>
#include <net/if_utun.h>
#include <net/ndrv.h>
#include <net/net_kev.h>
#include <net/route.h>
#include <netinet/in.h>
#if __has_include(<sys/sys_domain.h>)
#include <sys/sys_domain.h>
#else
#define SYSPROTO_EVENT 1
#define SYSPROTO_CONTROL 2
#define AF_SYS_CONTROL 2
#endif
#if __has_include(<sys/kern_event.h>)
#include <sys/kern_event.h>
#else
struct kev_request { u_int32_t vendor_code, kev_class, kev_subclass; };
struct kern_event_msg { u_int32_t total_size, vendor_code, kev_class, kev_subclass, id, event_code, event_data[1]; };
#define SIOCSKEVFILT _IOW('e', 2, struct kev_request)
#define KEV_VENDOR_APPLE 1
#define KEV_NETWORK_CLASS 1
#define KEV_ANY_SUBCLASS 0
#endif
#if __has_include(<netinet6/in6_var.h>)
#include <netinet6/in6_var.h>
#else
struct in6_addrlifetime { time_t ia6t_expire, ia6t_preferred; u_int32_t ia6t_vltime, ia6t_pltime; };
struct in6_ifreq { char ifr_name[IFNAMSIZ]; union { struct sockaddr_in6 ifru_addr; \
    u_int64_t icmp6_ifstat[34]; } ifr_ifru; };
struct in6_aliasreq { char ifra_name[IFNAMSIZ]; struct sockaddr_in6 ifra_addr, ifra_dstaddr, ifra_prefixmask;
    int ifra_flags; struct in6_addrlifetime ifra_lifetime; };
#define SIOCDIFADDR_IN6 _IOW('i', 25, struct in6_ifreq)
#define SIOCAIFADDR_IN6 _IOW('i', 26, struct in6_aliasreq)
#define SIOCGIFAFLAG_IN6 _IOWR('i', 73, struct in6_ifreq)
#endif
struct if_fake_request { u_int64_t iffr_reserved[4]; union { char iffru_buf[128]; \
    char iffru_peer_name[IFNAMSIZ]; } iffr_u; };
";

    /// Writes the values as C, for a compiler with Darwin's headers: tests/darwin.sh.
    #[test]
    fn layout_as_c() {
        let mut text = MISSING.to_owned();
        for (expression, value) in ALL {
            writeln!(
                text,
                "_Static_assert((unsigned long long)({expression}) == {value}ULL, \"{expression}\");"
            )
            .unwrap();
        }
        let name = std::str::from_utf8(UTUN_CONTROL_NAME).unwrap();
        let length = name.len();
        writeln!(text, "_Static_assert(sizeof(UTUN_CONTROL_NAME) == {length} + 1, \"UTUN_CONTROL_NAME\");")
            .unwrap();
        writeln!(text, "_Static_assert(__builtin_strcmp(UTUN_CONTROL_NAME, \"{name}\") == 0, \"its text\");")
            .unwrap();
        if let Some(path) = std::env::var_os("TUNTAP_LAYOUT") {
            std::fs::write(path, text).unwrap();
        }
    }
}
