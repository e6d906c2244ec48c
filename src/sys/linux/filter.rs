// SPDX-License-Identifier: MIT
//! The classic filter of a TAP, also for queues that are opened or attached later.
//!
//! A quirk of the driver (tun_attach, Linux 3.8 to 6.18): it keeps the user-space address of the instructions, and
//! reads them again when TUNSETIFF or TUNSETQUEUE attaches a queue. If this read succeeds, the queue gets the filter,
//! the request returns 0, and the queue is *not* attached. If it fails, the queue is attached without the filter, and
//! TUNSETQUEUE returns the error.
//!
//! So the instructions are in memory that is readable only on purpose. The first request, with readable memory, gives
//! the queue the filter. The second one, with unreadable memory, attaches it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{mem, ptr, slice};

use super::hidden::Hidden;
use super::ioctl::FilterProgram;
use super::node::Node;
use crate::model::error::Errno;
use crate::model::flags::Mode;
use crate::model::memory::NoMemory;
use crate::model::steering::{Instruction, MAX_INSTRUCTIONS};
use crate::sys::Outcome;
use crate::sys::Shared;

/// The filter that related handles of a device share: those that [`super::Queue::open_another`] opened.
#[derive(Clone)]
pub(super) struct Filter(Shared<Mutex<Known>>);

#[derive(Default)]
enum Known {
    /// These handles have not set a filter.
    #[default]
    Nothing,
    Set(Loaded),
    /// The filter was removed from the attached queues. A queue that was detached at that time still has it.
    Removed(Loaded),
}

impl Filter {
    pub(super) fn new() -> Result<Self, NoMemory> {
        Shared::new(Mutex::default()).map(Self)
    }

    /// Sets the filter of all attached queues, or removes it if there are no instructions.
    pub(super) fn set(&self, node: &Node, instructions: &[Instruction]) -> Outcome<()> {
        let mut known = self.lock();
        if instructions.is_empty() {
            node.detach_filter()?;
            *known = match mem::take(&mut *known) {
                Known::Set(program) | Known::Removed(program) => Known::Removed(program),
                Known::Nothing => Known::Nothing,
            };
            return Ok(());
        }
        let program = Loaded::new(instructions)?;
        match (program.set(node), &*known) {
            (Ok(()), _) => *known = Known::Set(program),
            // The kernel has dropped the previous filter, and may have removed it from some queues.
            (Err(errno), Known::Set(before)) => {
                let _ = before.set(node);
                return Err(errno);
            }
            (Err(errno), _) => return Err(errno),
        }
        Ok(())
    }

    /// Attaches a new node to the device with this name as another queue, with the filter.
    ///
    /// TUNSETIFF sets the filter only without IFF_NOFILTER, which is the same bit as IFF_NO_PI. So the queue is
    /// attached without the filter, then detached, which drops packets that arrived meanwhile, and then attached with
    /// the filter.
    pub(super) fn join(&self, node: &Node, name: &[u8], mode: Mode) -> Outcome<()> {
        node.join(name, Mode { pi: false, ..mode }, false)?;
        let mut known = self.lock();
        if !matches!(&*known, Known::Set(program) if program.is_of(node)) {
            return Ok(());
        }
        node.set_attached(false)?;
        known.attach(node)
    }

    /// Attaches a queue again, with the current filter. On failure it stays detached.
    pub(super) fn attach(&self, node: &Node) -> Outcome<()> {
        let mut known = self.lock();
        known.attach(node).inspect_err(|_| {
            let _ = node.set_attached(false);
        })
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn attach(&mut self, node: &Node) -> Outcome<()> {
        match self {
            Self::Set(program) if program.is_of(node) => program.give(node)?,
            _ => {}
        }
        if !attach(node)? {
            // An unrelated handle of this process has set the filter.
            let program = Loaded::of(node)?;
            program.set(node)?;
            *self = Self::Set(program);
            if !attach(node)? {
                return Err(Errno::EBUSY);
            }
        }
        match self {
            Self::Removed(program) if program.is_of(node) => node.detach_filter(),
            _ => Ok(()),
        }
    }
}

/// Requests to attach a queue. Returns whether it is attached, which the result of the request does not show.
fn attach(node: &Node) -> Outcome<bool> {
    let answer = node.set_attached(true);
    match node.granted()?.attached {
        true => Ok(true),
        false => answer.map(|()| false),
    }
}

/// Sets a filter that later queues do not get.
pub(super) fn set_once(node: &Node, instructions: &[Instruction]) -> Outcome<()> {
    match instructions {
        [] => node.detach_filter(),
        _ => Loaded::new(instructions)?.set(node),
    }
}

/// Instructions in memory that is readable only during a request.
struct Loaded {
    memory: Hidden,
    count: u16,
}

impl Loaded {
    fn new(instructions: &[Instruction]) -> Outcome<Self> {
        let count = u16::try_from(instructions.len()).map_err(|_| Errno::EINVAL)?;
        // SAFETY: an instruction is eight bytes without padding.
        let bytes =
            unsafe { slice::from_raw_parts(instructions.as_ptr().cast::<u8>(), size_of_val(instructions)) };
        Ok(Self { memory: Hidden::new(bytes)?, count })
    }

    /// Copies the program whose address the kernel keeps, if it is in the memory of this process.
    fn of(node: &Node) -> Outcome<Self> {
        let theirs = node.filter()?;
        let count = usize::from(theirs.len);
        if count == 0 || count > MAX_INSTRUCTIONS {
            return Err(Errno::EBUSY);
        }
        let mut copy: Vec<Instruction> = Vec::new();
        copy.try_reserve_exact(count).map_err(|_| Errno::ENOMEM)?;
        let size = count.saturating_mul(size_of::<Instruction>());
        let local = libc::iovec { iov_base: copy.as_mut_ptr().cast(), iov_len: size };
        let address = usize::try_from(theirs.address()).map_err(|_| Errno::EBUSY)?;
        let remote = libc::iovec { iov_base: ptr::without_provenance_mut(address), iov_len: size };
        // SAFETY: the kernel checks the source, and writes at most the reserved bytes. All bytes are valid
        // instructions.
        unsafe {
            let read = libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0);
            if usize::try_from(read) != Ok(size) {
                return Err(Errno::EBUSY);
            }
            copy.set_len(count);
        }
        Self::new(&copy)
    }

    fn request(&self) -> FilterProgram {
        FilterProgram::new(self.count, self.memory.address().cast())
    }

    /// TUNATTACHFILTER, on all attached queues.
    fn set(&self, node: &Node) -> Outcome<()> {
        self.memory.readable(|| node.attach_filter(&self.request()))
    }

    /// Whether the kernel keeps the address of this program. Another process may have set another one.
    fn is_of(&self, node: &Node) -> bool {
        let request = self.request();
        node.filter().is_ok_and(|theirs| (theirs.len, theirs.address()) == (request.len, request.address()))
    }

    /// Sets the filter of a detached queue, which stays detached. On failure the queue is attached without it.
    fn give(&self, node: &Node) -> Outcome<()> {
        self.memory.readable(|| node.set_attached(true))
    }
}
