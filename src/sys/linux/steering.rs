// SPDX-License-Identifier: MIT
//! Programs and filters, attaching and detaching of queues, and the errors of these and of offloads.

use super::{Queue, filter};
use crate::model::error::{Errno, Error, Reason};
use crate::model::steering::{Instruction, Program};
use crate::model::text::text;
use crate::sys::{Backend, Outcome};

impl Queue {
    /// Sets the classic filter, or removes it if there are no instructions.
    pub(super) fn filter(&self, instructions: &[Instruction]) -> Outcome<()> {
        match &self.filter {
            Some(filter) => filter.set(&self.node, instructions),
            None => filter::set_once(&self.node, instructions),
        }
    }

    /// Attaches or detaches the queue, unless it already has this state.
    pub(super) fn attach(&self, on: bool) -> Outcome<()> {
        match (&self.filter, on) {
            _ if self.node.granted()?.attached == on => Ok(()),
            (Some(filter), true) => filter.attach(&self.node),
            _ => self.node.set_attached(on),
        }
    }

    pub(super) fn refused_program(&self, program: Program, errno: Errno) -> Error {
        let action = text!("set the {} of", program.noun());
        let wrong = |text| Error::new(errno, Reason::Argument, text!("{action} {}: {text}", self.label()));
        match errno {
            Errno::EBADF => wrong("the descriptor is not open"),
            Errno::EINVAL => wrong(
                "the descriptor is not a program of type BPF_PROG_TYPE_SOCKET_FILTER, or the kernel does not support \
                 such programs",
            ),
            _ => self.refused(action.as_str(), errno),
        }
    }

    pub(super) fn refused_filter(&self, errno: Errno) -> Error {
        let action = "set the classic filter of";
        match errno {
            Errno::EINVAL => {
                let text = text!("{action} {}: the kernel does not accept the program", self.label());
                Error::new(errno, Reason::Argument, text)
            }
            _ => self.refused(action, errno),
        }
    }

    pub(super) fn refused_offloads(&self, offloads: u64, errno: Errno) -> Error {
        let action = "set the offloads of";
        match errno {
            Errno::EINVAL => Error::new(
                Errno::EOPNOTSUPP,
                Reason::Kernel,
                text!(
                    "{action} {} to {offloads:#x}: the kernel does not support this set: all need TUNTAP_F_CSUM, \
                     TSO_ECN needs TSO4 or TSO6, USO4 and USO6 need each other and Linux 6.2, UDP_TUNNEL_GSO \
                     needs TSO4, TSO6 or USO4 and Linux 6.17, and UDP_TUNNEL_GSO_CSUM needs UDP_TUNNEL_GSO",
                    self.label()
                ),
            ),
            _ => self.refused(action, errno),
        }
    }
}
