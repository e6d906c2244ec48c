// SPDX-License-Identifier: MIT
//! Puts packets of several flows, most of them nearly valid, into a joiner, and empties it now and then. Compares with a
//! model that never coalesces: each packet must come out exactly once, and packets of one flow in order.
#![no_main]

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};

use libfuzzer_sys::fuzz_target;
use tuntap::cpu::Cpu;
use tuntap::model::flags::Kind;
use tuntap::model::offload::LARGEST;
use tuntap::model::vnet_hdr::{F_NEEDS_CSUM, GSO_NONE, GSO_UDP_L4, VnetHdr};
use tuntap::offload::join::{Joiner, Protocols, Refusal};
use tuntap::offload::split::Splitter;

#[path = "../packet/mod.rs"]
mod packet;
use packet::{RECIPE, Recipe};

const RAW: usize = 96;

thread_local! {
    /// Empty joiners, by kind and trust. Creating one takes longer than a run.
    static JOINERS: RefCell<HashMap<(bool, bool), Joiner>> = RefCell::default();
}

struct Run {
    tap: bool,
    trusted: bool,
    joiner: Joiner,
    given: bool,
    splitter: Splitter,
    /// The packets that are still inside, by their bytes that cannot change.
    inside: HashMap<Vec<u8>, VecDeque<usize>>,
    put: usize,
    /// The last packet of each flow that came out.
    last: HashMap<Vec<u8>, usize>,
    /// The flow of each packet: parsed from its bytes, and from its recipe.
    flows: Vec<[Option<Vec<u8>>; 2]>,
}

impl Run {
    fn put(&mut self, bytes: &[u8], made_for: Option<Vec<u8>>) -> Result<(), Refusal> {
        self.joiner.put(bytes)?;
        self.inside.entry(self.stable_bytes(bytes)).or_default().push_back(self.put);
        self.flows.push([packet::flow(self.tap, bytes), made_for]);
        self.put += 1;
        Ok(())
    }

    /// Puts a packet. An empty joiner must have room for it.
    fn offer(&mut self, bytes: &[u8], made_for: Option<Vec<u8>>) {
        let mut put = self.put(bytes, made_for.clone());
        if put == Err(Refusal::Full) {
            while self.take() {}
            put = self.put(bytes, made_for);
        }
        let wanted = match bytes.len() {
            0 => Err(Refusal::Empty),
            1..=LARGEST => Ok(()),
            _ => Err(Refusal::Long),
        };
        assert_eq!(put, wanted, "{} bytes", bytes.len());
    }

    /// Takes one item, which stays until the next one is taken, as for a C caller. False: there was none.
    fn take(&mut self) -> bool {
        if std::mem::take(&mut self.given) {
            self.joiner.pop();
        }
        let Some((hdr, bytes)) = self.joiner.peek() else { return false };
        let mut bytes = bytes.to_vec();
        self.check_item(hdr, &bytes);
        let kind = if self.tap { Kind::Tap } else { Kind::Tun };
        self.splitter.begin(kind, hdr, &mut bytes).unwrap();
        let (mut packets, made) = (0, hdr.flags & F_NEEDS_CSUM != 0);
        while let Some(place) = self.splitter.next(&mut bytes) {
            let packet = &bytes[place];
            let checked =
                if hdr.gso_type == GSO_NONE { self.with_ip_checksum(packet) } else { packet.to_vec() };
            assert!(!made || packet::is_good(self.tap, &checked), "a checksum: {packet:02x?}");
            self.check_returned(packet);
            packets += 1;
        }
        assert_eq!(self.joiner.packets(), packets);
        self.given = true;
        true
    }

    /// The packet with a good IP checksum: that of a packet which is not coalesced is the sender's, also with trust.
    fn with_ip_checksum(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let at = packet::network(self.tap, &bytes).filter(|at| bytes.len() >= at + 20 && bytes[*at] == 0x45);
        if let Some(at) = at {
            bytes[at + 10..at + 12].fill(0);
            let sum = !packet::sum(&bytes[at..at + 20], 0);
            bytes[at + 10..at + 12].copy_from_slice(&sum.to_be_bytes());
        }
        bytes
    }

    /// Packets with more than two VLAN tags, IP options or extension headers are never coalesced.
    fn check_item(&self, hdr: VnetHdr, bytes: &[u8]) {
        if hdr.gso_type != GSO_NONE {
            let at = packet::network(self.tap, bytes).unwrap();
            assert!(at <= 22 && bytes.len() <= 65_535);
            assert!(bytes[at] == 0x45 || matches!((bytes[at] >> 4, bytes[at + 6]), (6, 6 | 17)));
            let transport = at + if bytes[at] >> 4 == 4 { 20 } else { 40 };
            let udp = hdr.gso_type == GSO_UDP_L4;
            let own = if udp { 8 } else { usize::from(bytes[transport + 12] >> 4) * 4 };
            assert_eq!(usize::from(hdr.hdr_len), transport + own);
        }
    }

    fn check_returned(&mut self, bytes: &[u8]) {
        let found = self.inside.get_mut(&self.stable_bytes(bytes)).and_then(VecDeque::pop_front);
        let number = found.unwrap_or_else(|| panic!("a packet that was not put: {bytes:02x?}"));
        for flow in self.flows[number].iter().flatten() {
            if let Some(before) = self.last.insert(flow.clone(), number) {
                assert!(before < number, "packet {number} of a flow came after packet {before}");
            }
        }
    }

    /// Leaves out the identification, which may change if fragmentation is forbidden, and the IP checksum, which stays good
    /// or bad. With trust also the TCP or UDP checksum, which is recomputed.
    fn stable_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stable_bytes = bytes.to_vec();
        let Some(at) = packet::network(self.tap, bytes).filter(|at| bytes.len() >= at + 20) else {
            return stable_bytes;
        };
        let (v4, ip) = (bytes[at] >> 4 == 4, &bytes[at..]);
        if v4 && ip[0] == 0x45 && ip[6] & 0x40 != 0 {
            stable_bytes[at + 4..at + 6].fill(0);
            let good = packet::sum(&ip[..20], 0) == 0xffff;
            stable_bytes[at + 10..at + 12].fill(good.into());
        }
        let (protocol, transport) = if v4 { (ip[9], at + 20) } else { (ip[6], at + 40) };
        let field = transport + if protocol == 6 { 16 } else { 6 };
        if self.trusted && matches!(protocol, 6 | 17) && bytes.len() >= field + 2 {
            stable_bytes[field..field + 2].fill(0);
            if v4 {
                stable_bytes[at + 10..at + 12].fill(0);
            }
        }
        stable_bytes
    }
}

/// The flow of the packets of a recipe, if they may be coalesced.
fn recipe_flow(recipe: &Recipe) -> Option<Vec<u8>> {
    (recipe.tags <= 2).then(|| vec![recipe.tags as u8, recipe.v6.into(), recipe.tcp.into(), recipe.flow])
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, mut rest)) = input.split_first() else { return };
    let tap = choice & 1 != 0;
    let trusted = choice & 2 != 0;
    let kind = if tap { Kind::Tap } else { Kind::Tun };
    let size = 1 + usize::from(choice >> 2) * 24;
    let mut run = Run {
        tap,
        trusted,
        joiner: JOINERS
            .with_borrow_mut(|joiners| joiners.remove(&(tap, trusted)))
            .unwrap_or_else(|| Joiner::new(Cpu::best(), kind, Protocols::ALL, trusted).unwrap()),
        given: false,
        splitter: Splitter::new(Cpu::best(), false).unwrap(),
        inside: HashMap::new(),
        put: 0,
        last: HashMap::new(),
        flows: Vec::new(),
    };
    while let Some((bytes, later)) = rest.split_first_chunk::<RECIPE>() {
        rest = later;
        let (what, place, change) = (bytes[0] >> 6, bytes[15], bytes[2]);
        let made = match what {
            // A packet with the bytes of the input.
            3 if bytes[1] & 1 != 0 => (rest[..rest.len().min(RAW)].to_vec(), None),
            // Takes some packets before the next ones are put.
            3 => {
                for _ in 0..=bytes[2] & 7 {
                    run.take();
                }
                continue;
            }
            _ => {
                let mut recipe = Recipe::of(tap, bytes);
                // Most packets of a flow have the same size.
                recipe.payload = if bytes[12] & 8 == 0 { size } else { recipe.payload };
                // Some flows continue for a while, and one item is taken in between.
                let later = if what == 1 { place & 15 } else { 0 };
                for turn in 0..later {
                    run.offer(&recipe.packet(size, false), recipe_flow(&recipe));
                    recipe.number = recipe.number.wrapping_add(1);
                    if turn == place >> 4 {
                        run.take();
                    }
                }
                let mut packet = recipe.packet(size, false);
                if what == 2 {
                    // A wrong field, or a flipped bit.
                    let place = usize::from(place) % packet.len();
                    packet[place] ^= change;
                    (packet, None)
                } else {
                    (packet, recipe_flow(&recipe))
                }
            }
        };
        run.offer(&made.0, made.1);
    }
    while run.take() {}
    assert!(run.inside.values().all(VecDeque::is_empty), "packets are lost");
    assert!(run.joiner.is_empty());
    JOINERS.with_borrow_mut(|joiners| joiners.insert((tap, trusted), run.joiner));
});
