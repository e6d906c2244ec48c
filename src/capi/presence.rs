// SPDX-License-Identifier: MIT
//! The devices of the system, the features of the kernel, and the deletion of a device by name.

use std::ffi::{c_char, c_int};

use libc::ssize_t;

use super::argument::{Growing, bytes, list_out, out};
use super::entry::call;
use super::error::CError;
use super::field::c_bytes;
use super::size::{TUNTAP_MAC_SIZE, TUNTAP_NAME_SIZE};
use crate::device::{Device, presence};
use crate::model::feature::Feature;
use crate::model::flags::{PERSIST, bit};
use crate::model::link::Link;
use crate::model::name::Name;
use crate::model::table::constants;

constants! {
    bits IDS: u32 {
        /// Owner or group of a device that has none. No user and no group has this number.
        TUNTAP_NO_ID = 0xffff_ffff, "TUNTAP_NO_ID";
    }
}

/// A TUN or TAP device of the system. Later versions may add members at the end.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CInfo {
    /// The interface index.
    pub index: u32,
    /// The MTU.
    pub mtu: u32,
    /// TUNTAP_TUN or TUNTAP_TAP, combined with TUNTAP_PI, TUNTAP_MULTI_QUEUE, TUNTAP_OFFLOAD and
    /// TUNTAP_PERSIST. Linux does not report TUNTAP_NAPI.
    pub flags: u64,
    /// The user who may open the device without privilege, as a number of the calling process's
    /// user namespace. TUNTAP_NO_ID if none is set.
    pub owner: u32,
    /// The group whose members may open the device without privilege. TUNTAP_NO_ID if none is set.
    pub group: u32,
    /// Not 0 if the device is up.
    pub up: u8,
    /// Not 0 if the device has a carrier.
    pub carrier: u8,
    /// The MAC address; zeros for a TUN.
    pub mac: [u8; TUNTAP_MAC_SIZE],
    /// The name.
    pub name: [c_char; TUNTAP_NAME_SIZE],
}

// SAFETY: integers without padding.
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

/// The kind, the modes and the persistence of a device, as TUNTAP_* flags.
pub(super) fn flags_of(link: &Link) -> u64 {
    link.tuntap.map_or(0, |tuntap| tuntap.mode.bits() | bit(tuntap.persist, PERSIST))
}

pub(super) fn name_of(link: &Link) -> [c_char; TUNTAP_NAME_SIZE] {
    c_bytes(link.name.as_bytes())
}

/// Lists the TUN and TAP devices in the network namespace of the calling thread.
///
/// It lists devices of other programs too, and needs no privilege.
///
/// @param devices  Receives the first count devices. NULL with a count of 0: only the number is
///                 returned.
/// @param count    Number of elements of devices.
/// @param size     sizeof(tuntap_info), the distance between two elements of devices.
/// @param err      May be NULL.
/// @return The number of devices, which can be more than count; or
///         -EINVAL      devices is NULL and count is not 0; size is too small
///                      (_ARGUMENT);
///         -EMFILE, ... no resources (_SYSTEM);
///         -EOPNOTSUPP  not supported on this operating system (_PLATFORM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_list(
    devices: *mut CInfo,
    count: usize,
    size: usize,
    err: *mut CError,
) -> ssize_t {
    call(err, || {
        let list = list_out(devices, count, size)?;
        Ok(list.fill(presence::list()?))
    })
}

/// Deletes a persistent device by its name, in the network namespace of the calling thread.
///
/// It does what `ip tuntap del` does, and finds the kind and the modes of the device by itself. The
/// owner of the device needs no privilege. A device that is in use is not changed: turn
/// TUNTAP_PERSIST off with tuntap_set_persist, and the device is removed with its last handle.
///
/// On Linux the carrier of the device changes while it is deleted, which other programs can see.
/// Darwin has no persistent devices.
///
/// @param name   The name of the device.
/// @param flags  0.
/// @param err    May be NULL.
/// @return 0, or
///         -EINVAL  name is NULL (_ARGUMENT), or not a valid name (_NAME); flags is not
///                  0 (_FLAGS); the interface is not a TUN or TAP device (_KIND);
///         -ENODEV  there is no such device (_ABSENT);
///         -EBUSY   the device is in use, or other programs delete and create it repeatedly (_BUSY);
///         -EPERM   the device belongs to another user, and the process does not have CAP_NET_ADMIN
///                  (_PRIVILEGE);
///         -EACCES, -ENOENT, -ENXIO, -ENOTTY, -EMFILE, ...  as tuntap_open;
///         -EOPNOTSUPP  not supported on this operating system (_PLATFORM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_delete(name: *const c_char, flags: u64, err: *mut CError) -> c_int {
    call(err, || presence::delete(&Name::parse(bytes(name, "the name")?)?, flags))
}

/// Reports whether the running kernel, and a device, support a feature.
///
/// tuntap_has reports what the library supports on this operating system, and does not query the
/// kernel. This function queries it, and changes nothing.
///
/// On Linux, without a device, the driver reports its modes. For TUNTAP_FEATURE_CARRIER,
/// TUNTAP_FEATURE_STEERING, TUNTAP_FEATURE_USO and TUNTAP_FEATURE_FOLLOW the result then depends
/// only on the version of the kernel. With a device the library queries the kernel, which also finds
/// features that a distribution has backported.
///
/// @param dev        NULL: only the kernel. A device: the result also depends on the kind and the
///                   modes of the device, which are fixed when it is created. For example, USO
///                   needs TUNTAP_OFFLOAD.
/// @param feature    A TUNTAP_FEATURE_*.
/// @param supported  Receives 1 or 0. It is 0 for a number that this version does not know.
/// @param err        May be NULL.
/// @return 0, or the reason why the result is not known:
///         -EINVAL            supported is NULL (_ARGUMENT);
///         -ENODEV            the device is gone (_REMOVED);
///         -EPERM, -EACCES    not permitted (_PRIVILEGE);
///         -ENOENT, -ENXIO, ... no driver or no device node (_NO_DRIVER);
///         -EXDEV             this process cannot reach the device (_NAMESPACE);
///         -EMFILE, ...       no resources (_SYSTEM).
/// @since 0.1.0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tuntap_probe(
    dev: *const Device,
    feature: u32,
    supported: *mut c_int,
    err: *mut CError,
) -> c_int {
    call(err, || {
        let out = out(supported, "result")?;
        let known = Feature::from_number(feature);
        let found = known.map_or(Ok(false), |feature| presence::probe(dev.as_ref(), feature));
        out.fill(found.map(c_int::from))
    })
}
