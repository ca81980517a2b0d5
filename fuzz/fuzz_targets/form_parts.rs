//! multipart/form-data, as an import and as a sysadmin's form.

#![no_main]

use libfuzzer_sys::fuzz_target;
use toolgate::web::fuzzing;

fuzz_target!(|body: &[u8]| {
    actix_rt::System::new().block_on(fuzzing::parts("XX", body.to_vec()));
});
