// SPDX-License-Identifier: MIT
//! tunrs IF0 IF1: forwards with tun-rs and its offload, blocking, a thread for each direction.

use std::{env, io, process, thread};

use tun_rs::{DeviceBuilder, GROTable, Layer, SyncDevice, IDEAL_BATCH_SIZE, VIRTIO_NET_HDR_LEN};
use tunrs::{Buffer, ROOM};

fn open(name: &str) -> io::Result<SyncDevice> {
    // The benchmark configures the devices itself.
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
            buffer.reset();
        }
        let count = from.recv_multiple(&mut whole, &mut buffers, &mut sizes, VIRTIO_NET_HDR_LEN)?;
        for (buffer, size) in buffers.iter_mut().zip(&sizes[..count]) {
            buffer.set_length(VIRTIO_NET_HDR_LEN + size);
        }
        // A packet that the other device refuses is lost, as on any link.
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
