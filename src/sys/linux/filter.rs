// SPDX-License-Identifier: MIT
//! The classic filter of a TAP, on queues that come later too.
//!
//! For those the driver keeps the address of the instructions in the memory of the process that set them, and reads them
//! there when TUNSETIFF or TUNSETQUEUE attaches a queue. When that succeeds, it gives the queue the filter, returns 0, and
//! does *not* attach it. When it fails, it attaches the queue without the filter, and TUNSETQUEUE returns why it failed
//! (tun_attach, Linux 3.8 to 6.18).
//!
//! So the instructions lie in memory that can be read only while the kernel is meant to: a queue gets the filter with the
//! first of two requests, and is attached with the second.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{mem, slice};

use super::hidden::Hidden;
use super::node::{FilterProgram, Node};
use crate::model::error::Errno;
use crate::model::flags::Mode;
use crate::model::memory::NoMemory;
use crate::model::steering::{Instruction, MAX_INSTRUCTIONS};
use crate::sys::Outcome;
use crate::sys::Shared;

/// The filter that the handles of one device know: those that came from each other.
#[derive(Clone)]
pub(super) struct Filter(Shared<Mutex<Known>>);

#[derive(Default)]
enum Known {
    /// None was set by these handles.
    #[default]
    Nothing,
    Set(Program),
    /// A queue that was detached meanwhile has it still.
    Removed(Program),
}

impl Filter {
    pub(super) fn new() -> Result<Self, NoMemory> {
        Shared::new(Mutex::default()).map(Self)
    }

    /// Has all attached queues pass what the filter passes, or with no instructions everything.
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
        let program = Program::new(instructions)?;
        match (program.set(node), &*known) {
            (Ok(()), _) => *known = Known::Set(program),
            // The kernel has forgotten the one before, and may have taken it from some queues.
            (Err(errno), Known::Set(before)) => {
                let _ = before.set(node);
                return Err(errno);
            }
            (Err(errno), _) => return Err(errno),
        }
        Ok(())
    }

    /// Has a new node join the device of this name as another queue, with the filter.
    ///
    /// TUNSETIFF would give it the filter only where the device has packet information, for both are told by one bit. So
    /// the queue joins without, is detached, which drops what came meanwhile, and attached with it.
    pub(super) fn join(&self, node: &Node, name: &[u8], mode: Mode) -> Outcome<()> {
        node.join(name, Mode { pi: false, ..mode }, false)?;
        let known = self.lock();
        match &*known {
            Known::Set(program) if program.is_of(node) => {
                node.set_attached(false)?;
                program.give(node)?;
                attach(node).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Attaches a queue again, with the filter as it is now, or leaves it detached.
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
            // The filter is in this process's memory, and none of these handles has set it.
            let program = Program::of(node)?;
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

/// Has a queue attached; whether it is, whatever the answer.
fn attach(node: &Node) -> Outcome<bool> {
    let answer = node.set_attached(true);
    match node.granted()?.attached {
        true => Ok(true),
        false => answer.map(|()| false),
    }
}

/// Sets a filter that no queue is to come to later.
pub(super) fn set_once(node: &Node, instructions: &[Instruction]) -> Outcome<()> {
    match instructions {
        [] => node.detach_filter(),
        _ => Program::new(instructions)?.set(node),
    }
}

/// Instructions where only the kernel finds them.
struct Program {
    memory: Hidden,
    count: u16,
}

impl Program {
    fn new(instructions: &[Instruction]) -> Outcome<Self> {
        let count = u16::try_from(instructions.len()).map_err(|_| Errno::EINVAL)?;
        // SAFETY: an instruction is eight bytes without padding.
        let bytes =
            unsafe { slice::from_raw_parts(instructions.as_ptr().cast::<u8>(), size_of_val(instructions)) };
        Ok(Self { memory: Hidden::new(bytes)?, count })
    }

    /// A copy of the one that the kernel has the address of, if that is in this process's memory.
    fn of(node: &Node) -> Outcome<Self> {
        let theirs = node.filter()?;
        let count = usize::from(theirs.len);
        if count == 0 || count > MAX_INSTRUCTIONS {
            return Err(Errno::EBUSY);
        }
        let mut copy: Vec<Instruction> = Vec::new();
        copy.try_reserve_exact(count).map_err(|_| Errno::ENOMEM)?;
        let size = count.saturating_mul(size_of::<Instruction>());
        let here = libc::iovec { iov_base: copy.as_mut_ptr().cast(), iov_len: size };
        let there = libc::iovec { iov_base: theirs.filter.cast_mut().cast(), iov_len: size };
        // SAFETY: the kernel reads what there is, and writes as many bytes as were reserved. Any bytes are instructions.
        unsafe {
            let read = libc::process_vm_readv(libc::getpid(), &here, 1, &there, 1, 0);
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

    /// Whether the kernel has the address of this one: somebody else may have set another.
    fn is_of(&self, node: &Node) -> bool {
        let request = self.request();
        node.filter().is_ok_and(|theirs| (theirs.len, theirs.filter) == (request.len, request.filter))
    }

    /// Gives a detached queue the filter, and does not attach it. If this fails, it is attached.
    fn give(&self, node: &Node) -> Outcome<()> {
        self.memory.readable(|| node.set_attached(true))
    }
}
