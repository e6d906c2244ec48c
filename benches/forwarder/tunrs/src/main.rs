// SPDX-License-Identifier: MIT
//! tunrs IF0 IF1: forwards with tun-rs and its offload, blocking, a thread for each direction. Its packets lie in
//! buffers of a fixed size whose length alone changes: with Vec, each would be filled with zeros anew.

use std::{env, io, process, thread};

use tun_rs::{
    DeviceBuilder, ExpandBuffer, GROTable, Layer, SyncDevice, IDEAL_BATCH_SIZE, VIRTIO_NET_HDR_LEN,
};

const ROOM: usize = VIRTIO_NET_HDR_LEN + 65_535;

struct Buffer {
    bytes: Box<[u8]>,
    length: usize,
}

impl Buffer {
    fn new() -> Self {
        Self { bytes: vec![0; ROOM].into_boxed_slice(), length: ROOM }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl AsMut<[u8]> for Buffer {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }
}

impl ExpandBuffer for Buffer {
    fn buf_capacity(&self) -> usize {
        ROOM
    }

    fn buf_resize(&mut self, length: usize, value: u8) {
        if length > self.length {
            self.bytes[self.length..length].fill(value);
        }
        self.length = length;
    }

    fn buf_extend_from_slice(&mut self, from: &[u8]) {
        let end = self.length + from.len();
        self.bytes[self.length..end].copy_from_slice(from);
        self.length = end;
    }
}

fn open(name: &str) -> io::Result<SyncDevice> {
    // It wants to set up what the benchmark sets up itself.
    DeviceBuilder::new()
        .name(name)
        .layer(Layer::L3)
        .offload(true)
        .enable(false)
        .inherit_enable_state()
        .build_sync()
}

fn forward(from: &SyncDevice, to: &SyncDevice) -> io::Result<()> {
    let mut whole = vec![0; ROOM];
    let mut buffers: Vec<Buffer> = (0..IDEAL_BATCH_SIZE).map(|_| Buffer::new()).collect();
    let mut sizes = vec![0; IDEAL_BATCH_SIZE];
    let mut table = GROTable::default();
    loop {
        for buffer in &mut buffers {
            buffer.length = ROOM;
        }
        let count = from.recv_multiple(&mut whole, &mut buffers, &mut sizes, VIRTIO_NET_HDR_LEN)?;
        for (buffer, size) in buffers.iter_mut().zip(&sizes[..count]) {
            buffer.length = VIRTIO_NET_HDR_LEN + size;
        }
        // What the other device does not take is lost, as on any link.
        let _ = to.send_multiple(&mut table, &mut buffers[..count], VIRTIO_NET_HDR_LEN);
    }
}

fn main() -> io::Result<()> {
    let names: Vec<String> = env::args().skip(1).collect();
    let [first, second] = names.as_slice() else {
        eprintln!("usage: tunrs IF0 IF1");
        process::exit(2);
    };
    let (first, second) = (open(first)?, open(second)?);
    println!("ready");
    thread::scope(|scope| {
        let back = scope.spawn(|| forward(&second, &first));
        forward(&first, &second)?;
        back.join().expect("the other direction ended")
    })
}
