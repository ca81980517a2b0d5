//! Archives: what is taken unpacks to no more than it may.

#![no_main]

use libfuzzer_sys::fuzz_target;
use toolgate::flows::archive::read;
use toolgate::outbound::SpoolWriter;

const LONGEST: u64 = 4096;

fuzz_target!(|bytes: &[u8]| {
    let mut writer = SpoolWriter::new(1 << 20).unwrap();
    writer.push(bytes).unwrap();
    if let Ok(archive) = read(writer.done(), &"mdquiz10".parse().unwrap(), LONGEST)
        && let Some(payload) = archive.payload
    {
        assert!(payload.len() <= LONGEST);
    }
});
