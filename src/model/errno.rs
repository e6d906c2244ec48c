// SPDX-License-Identifier: MIT
//! The error numbers of the operating system.

use std::fmt;
use std::io;
use std::num::NonZeroI32;

/// An errno, with or without a known name. It is always positive, so its negative never means success.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(NonZeroI32);

/// Defines the errnos that have a name here, with their descriptions.
macro_rules! errnos {
    ($($(#[$condition:meta])* $name:ident $text:literal)*) => {
        #[allow(missing_docs, reason = "the text is the documentation")]
        impl Errno {
            $($(#[$condition])* pub const $name: Self = Self::from_raw(libc::$name);)*

            fn known(self) -> Option<(&'static str, &'static str)> {
                match self.raw() {
                    $($(#[$condition])* libc::$name => Some((stringify!($name), $text)),)*
                    _ => None,
                }
            }
        }
    };
}

errnos! {
    EPERM "Operation not permitted"
    ENOENT "No such file or directory"
    ESRCH "No such process"
    EINTR "Interrupted system call"
    EIO "Input/output error"
    ENXIO "No such device or address"
    E2BIG "Argument list too long"
    EBADF "Bad file descriptor"
    EDEADLK "Resource deadlock avoided"
    ENOMEM "Cannot allocate memory"
    EACCES "Permission denied"
    EFAULT "Bad address"
    EBUSY "Device or resource busy"
    EEXIST "File exists"
    EXDEV "Invalid cross-device link"
    ENODEV "No such device"
    ENOTDIR "Not a directory"
    EISDIR "Is a directory"
    EINVAL "Invalid argument"
    ENFILE "Too many open files in the system"
    EMFILE "Too many open files"
    ENOTTY "Inappropriate ioctl for device"
    ETXTBSY "Text file busy"
    EFBIG "File too large"
    ENOSPC "No space left on device"
    ESPIPE "Illegal seek"
    EROFS "Read-only file system"
    EMLINK "Too many links"
    EPIPE "Broken pipe"
    EDOM "Numerical argument out of domain"
    ERANGE "Numerical result out of range"
    EAGAIN "Resource temporarily unavailable"
    EINPROGRESS "Operation now in progress"
    EALREADY "Operation already in progress"
    ENOTSOCK "Socket operation on non-socket"
    EDESTADDRREQ "Destination address required"
    EMSGSIZE "Message too long"
    EPROTOTYPE "Protocol wrong type for socket"
    ENOPROTOOPT "Protocol not available"
    EPROTONOSUPPORT "Protocol not supported"
    EOPNOTSUPP "Operation not supported"
    EAFNOSUPPORT "Address family not supported"
    EADDRINUSE "Address already in use"
    EADDRNOTAVAIL "Cannot assign requested address"
    ENETDOWN "Network is down"
    ENETUNREACH "Network is unreachable"
    ENETRESET "Network dropped connection on reset"
    ECONNABORTED "Connection aborted"
    ECONNRESET "Connection reset by peer"
    ENOBUFS "No buffer space available"
    EISCONN "Socket is already connected"
    ENOTCONN "Socket is not connected"
    ETIMEDOUT "Timed out"
    ECONNREFUSED "Connection refused"
    EHOSTDOWN "Host is down"
    EHOSTUNREACH "No route to host"
    ELOOP "Too many levels of symbolic links"
    ENAMETOOLONG "File name too long"
    ENOTEMPTY "Directory not empty"
    EUSERS "Too many users"
    EDQUOT "Disk quota exceeded"
    ESTALE "Stale file handle"
    ENOSYS "Function not implemented"
    EOVERFLOW "Value too large"
    EILSEQ "Invalid byte sequence"
    EPROTO "Protocol error"
    EBADMSG "Bad message"
    ECANCELED "Canceled"
    #[cfg(target_os = "linux")]
    ENODATA "No data available"
    #[cfg(target_os = "linux")]
    ETIME "Timer expired"
    #[cfg(target_os = "linux")]
    ENONET "Machine is not on the network"
    #[cfg(target_os = "linux")]
    ENOTUNIQ "Name not unique on the network"
    #[cfg(target_os = "linux")]
    EBADFD "File descriptor in bad state"
    #[cfg(target_os = "linux")]
    EREMOTEIO "Remote I/O error"
}

impl Errno {
    /// The errno of this number. A number that is not an errno becomes EIO, because it is still a failure.
    pub const fn from_raw(number: i32) -> Self {
        match NonZeroI32::new(number) {
            Some(number) if number.get() > 0 => Self(number),
            _ => Self(UNKNOWN),
        }
    }

    /// The errno of the last failed call of the C library.
    pub fn last() -> Self {
        Self::from_raw(io::Error::last_os_error().raw_os_error().unwrap_or(0))
    }

    /// The result of a call of the C library that is negative on failure.
    pub fn result<T: PartialOrd + Default>(returned: T) -> Result<T, Self> {
        if returned < T::default() { Err(Self::last()) } else { Ok(returned) }
    }

    /// The number, which is positive.
    pub const fn raw(self) -> i32 {
        self.0.get()
    }

    /// Its description, the same in every locale.
    pub fn desc(self) -> Description {
        Description(self)
    }
}

const UNKNOWN: NonZeroI32 = match NonZeroI32::new(libc::EIO) {
    Some(number) => number,
    None => NonZeroI32::MAX,
};

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known() {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}

/// The description of an errno. "errno 524" for one without a name.
#[derive(Clone, Copy)]
pub struct Description(Errno);

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.known() {
            Some((_, text)) => f.write_str(text),
            None => write!(f, "errno {}", self.0.raw()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_not_errnos_become_eio() {
        for number in [0, -1, -libc::EINVAL, i32::MIN] {
            assert_eq!(Errno::from_raw(number), Errno::EIO);
        }
        for number in [1, 133, 524, 4095, i32::MAX] {
            assert_eq!(Errno::from_raw(number).raw(), number);
        }
    }

    #[test]
    fn unknown_errnos_are_numbers() {
        assert_eq!(Errno::from_raw(524).desc().to_string(), "errno 524");
        assert_eq!(format!("{:?}", Errno::from_raw(524)), "errno 524");
        assert_eq!(Errno::EPERM.desc().to_string(), "Operation not permitted");
        assert_eq!(format!("{:?}", Errno::EPERM), "EPERM");
    }

    #[test]
    fn an_errno_can_be_matched_in_a_pattern() {
        let found = |errno| matches!(errno, Errno::EPERM | Errno::EACCES);
        assert!(found(Errno::from_raw(libc::EACCES)) && !found(Errno::from_raw(524)));
    }
}
