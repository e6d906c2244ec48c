// SPDX-License-Identifier: MIT
//! The devices that there are, what the kernel can do, and a device without its handle.

use std::ffi::{c_char, c_int};

use libc::ssize_t;

use super::argument::{Growing, bytes, list_out, out};
use super::entry::call;
use super::error::CError;
use super::size::{TUNTAP_MAC_SIZE, TUNTAP_NAME_SIZE};
use crate::device::{Device, presence};
use crate::model::feature::Feature;
use crate::model::flags::{PERSIST, bit};
use crate::model::link::Link;
use crate::model::name::Name;
use crate::model::table::constants;

constants! {
    bits IDS: u32 {
        /// In a tuntap_info: the device has no owner, or no group. No user and no group has this
        /// number.
        TUNTAP_NO_ID = 0xffff_ffff, "TUNTAP_NO_ID";
    }
}

/// A TUN or TAP device of the system. Later versions may add members at the end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CInfo {
    /// Its index.
    pub index: u32,
    /// Its MTU.
    pub mtu: u32,
    /// TUNTAP_TUN or TUNTAP_TAP, with TUNTAP_PI, TUNTAP_MULTI_QUEUE, TUNTAP_OFFLOAD and
    /// TUNTAP_PERSIST. The system does not say which devices have TUNTAP_NAPI.
    pub flags: u64,
    /// The user who may open it without privilege, as the user namespace of the calling
    /// process numbers users; TUNTAP_NO_ID: none is set.
    pub owner: u32,
    /// The same for a group.
    pub group: u32,
    /// Not 0: it is up.
    pub up: u8,
    /// Not 0: it has a carrier.
    pub carrier: u8,
    /// Its MAC address; zeros for a TUN.
    pub mac: [u8; TUNTAP_MAC_SIZE],
    /// Its name.
    pub name: [c_char; TUNTAP_NAME_SIZE],
}

unsafe impl Growing for CInfo {
    const LEAST: usize = 288;
    const NAME: &'static str = "tuntap_info";
}

const _: () = assert!(size_of::<CInfo>() == CInfo::LEAST);

impl From<Link> for CInfo {
    fn from(link: Link) -> Self {
        let id = |id: Option<u32>| id.unwrap_or(TUNTAP_NO_ID);
        Self {
            index: link.index,
            mtu: link.mtu,
            flags: flags_of(&link),
            owner: id(link.tuntap.and_then(|tuntap| tuntap.owner)),
            group: id(link.tuntap.and_then(|tuntap| tuntap.group)),
            up: link.up.into(),
            carrier: link.carrier.into(),
            mac: link.mac.map_or([0; TUNTAP_MAC_SIZE], |mac| mac.octets()),
            name: name_of(&link),
        }
    }
}

/// What a device is, as the ABI's bits.
pub(super) fn flags_of(link: &Link) -> u64 {
    link.tuntap.map_or(0, |tuntap| tuntap.mode.bits() | bit(tuntap.persist, PERSIST))
}

pub(super) fn name_of(link: &Link) -> [c_char; TUNTAP_NAME_SIZE] {
    let mut name = [0; TUNTAP_NAME_SIZE];
    for (to, from) in name.iter_mut().zip(link.name.as_bytes()) {
        *to = *from as c_char;
    }
    name
}

/// The TUN and TAP devices of the network namespace that the calling thread is in, whoever made
/// them. Needs no privilege.
///
/// @param devices  Receives the first `count` of them. NULL with a count of 0: only the
///                 number is asked for.
/// @param count    Places in devices.
/// @param size     sizeof(tuntap_info): where one ends and the next begins.
/// @return How many there are, which may be more than count, or -EINVAL (devices is NULL and
///         count is not 0; size is too small), -EMFILE, ... (out of something,
///         TUNTAP_REASON_SYSTEM), -EOPNOTSUPP (not on this operating system,
///         TUNTAP_REASON_PLATFORM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_list(
    devices: *mut CInfo,
    count: usize,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    call(err, || {
        let places = list_out(devices, count, size)?;
        Ok(places.set(presence::list()?))
    })
}

/// Deletes a device that outlived its last handle, as `ip tuntap del` does, but without being
/// told its kind and modes. It is looked for in the network namespace that the calling thread
/// is in. The device's owner needs no privilege for it.
///
/// A device that is in use stays as it is: it goes with its last handle, where
/// tuntap_set_persist turned TUNTAP_PERSIST off.
///
/// Linux: /dev/net/tun, TUNSETPERSIST. While it is being deleted, others see its carrier come
/// and go. Darwin has no such devices.
///
/// @param name   The name of the device.
/// @param flags  0.
/// @return 0, or
///         -EINVAL  name is NULL (TUNTAP_REASON_ARGUMENT), or no name (_NAME); flags (_FLAGS);
///                  the interface is no TUN or TAP device (_KIND);
///         -ENODEV  there is no such device (_ABSENT);
///         -EBUSY   it is in use; or others delete it and make it again and again (_BUSY);
///         -EPERM   it belongs to somebody else, and that needs CAP_NET_ADMIN (_PRIVILEGE);
///         -EACCES, -ENOENT, -ENXIO, -ENOTTY, -EMFILE, ...  as tuntap_open;
///         -EOPNOTSUPP  not on this operating system (_PLATFORM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_delete(name: *const c_char, flags: u64, err: *mut CError) -> c_int {
    call(err, || presence::delete(&Name::new(bytes(name, "the name")?)?, flags))
}

/// Whether the running kernel supports something, and this device. tuntap_has says what the
/// library offers on this operating system, and asks nobody.
///
/// Linux: without a device the driver says which modes it has. Of TUNTAP_FEATURE_CARRIER,
/// TUNTAP_FEATURE_STEERING, TUNTAP_FEATURE_USO and TUNTAP_FEATURE_FOLLOW only the kernel's
/// version tells then; a device is asked itself, which also finds what a distribution's kernel
/// has early. Nothing of the device is changed.
///
/// @param dev        NULL: the kernel alone is asked. A device: also whether it has the kind
///                   and the modes, which were fixed when it was made, and USO only with
///                   TUNTAP_OFFLOAD.
/// @param feature    A TUNTAP_FEATURE_*.
/// @param supported  Receives 1, or 0; 0 also for a number that this version does not know.
/// @return 0, or -EINVAL (supported is NULL), -ENODEV (the device is gone), or why it cannot
///         be known: -EPERM, -EACCES (TUNTAP_REASON_PRIVILEGE), -ENOENT, -ENXIO, ... (no driver
///         or no device node, TUNTAP_REASON_NO_DRIVER), -EXDEV (the device is where this process
///         cannot follow, TUNTAP_REASON_NAMESPACE), -EMFILE, ... (out of something,
///         TUNTAP_REASON_SYSTEM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_probe(
    dev: *const Device,
    feature: u32,
    supported: *mut c_int,
    err: *mut CError,
) -> c_int {
    call(err, || {
        let place = out(supported, "result")?;
        let known = Feature::from_number(feature);
        let found = known.map_or(Ok(false), |feature| presence::probe(dev.as_ref(), feature));
        place.fill(found.map(c_int::from))
    })
}
