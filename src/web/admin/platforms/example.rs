//! An example of a signed launch, ready to paste: in a shell, in Java and in PHP. Each prints an address that
//! the gateway takes for five minutes.
//!
//! What comes from the configuration stands in literals only, escaped as the language has it, never in
//! comments. The example for a shell has no comments at all: an interactive zsh takes them for commands.

use std::fmt::Write;

use super::is_signed;
use crate::flows::Gateway;
use crate::flows::connecting::platforms::{self, Example};
use crate::store::PlatformRecord;
use crate::web::admin::shell::in_shell;

/// One example.
pub(super) struct Code {
    /// The end of its element's id.
    pub(super) id: &'static str,
    /// The language.
    pub(super) name: &'static str,
    /// How it is run.
    pub(super) how: &'static str,
    pub(super) text: String,
}

/// A launch in each language; the plain address where nothing is signed.
pub(super) struct Examples {
    pub(super) codes: Vec<Code>,
    /// The address of an unsigned launch.
    pub(super) address: String,
    /// Whether it leads to a server that is connected.
    pub(super) is_real: bool,
    /// Whether the secret itself stands in it.
    pub(super) has_secret: bool,
}

impl Examples {
    /// For a platform; with its secret in them where that is known, else they ask the environment.
    pub(super) fn of(gateway: &Gateway, record: &PlatformRecord, secret: Option<&str>) -> Self {
        let example = platforms::example(&gateway.configuration(), &record.id);
        let address = format!("{}{}", gateway.public_url(), example.path);
        let launch = Launch {
            gateway: gateway.public_url(),
            example: &example,
            secret,
        };
        let codes = if is_signed(record) {
            launch.codes()
        } else {
            Vec::new()
        };
        Self {
            codes,
            address,
            is_real: example.is_real,
            has_secret: secret.is_some(),
        }
    }
}

struct Launch<'a> {
    gateway: &'a str,
    example: &'a Example,
    secret: Option<&'a str>,
}

impl Launch<'_> {
    fn codes(&self) -> Vec<Code> {
        vec![
            Code {
                id: "shell",
                name: "Shell",
                how: "Paste it into a terminal. It needs openssl.",
                text: self.shell(),
            },
            Code {
                id: "java",
                name: "Java",
                how: "Save it as Launch.java and run java Launch.java, with Java 11 or later.",
                text: self.java(),
            },
            Code {
                id: "php",
                name: "PHP",
                how: "Save it as launch.php and run php launch.php.",
                text: self.php(),
            },
        ]
    }

    fn shell(&self) -> String {
        let secret = match self.secret {
            Some(secret) => in_shell(secret),
            None => "${LAUNCH_SECRET:?is not set, see above}".to_owned(),
        };
        format!(
            r#"(
gateway={gateway}
path={path}
uid={uid}
secret={secret}
signed="$path&ts=$(date +%s)000&uid=$uid"
sig=$(printf '%s' "$signed" | openssl dgst -sha256 -hmac "$secret" | sed 's/^.* //')
printf '%s\n' "$gateway$signed&sig=$sig"
)
"#,
            gateway = in_shell(self.gateway),
            path = in_shell(&self.example.path),
            // A shell cannot escape it by itself.
            uid = in_shell(&crate::domain::enc::enc(&self.example.uid)),
        )
    }

    fn java(&self) -> String {
        let secret = match self.secret {
            Some(secret) => in_java(secret),
            None => "System.getenv(\"LAUNCH_SECRET\")".to_owned(),
        };
        format!(
            r#"import java.math.BigInteger;
import java.net.URLEncoder;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Launch {{
    public static void main(String[] arguments) throws Exception {{
        String gateway = {gateway};
        String path = {path};
        String uid = {uid};
        String secret = {secret};
        if (secret == null || secret.isEmpty()) {{
            System.err.println("LAUNCH_SECRET is not set");
            System.exit(1);
        }}

        String signed = path + "&ts=" + System.currentTimeMillis()
            + "&uid=" + URLEncoder.encode(uid, "UTF-8");
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret.getBytes("UTF-8"), "HmacSHA256"));
        byte[] sig = mac.doFinal(signed.getBytes("UTF-8"));
        String hex = String.format("%064x", new BigInteger(1, sig));
        System.out.println(gateway + signed + "&sig=" + hex);
    }}
}}
"#,
            gateway = in_java(self.gateway),
            path = in_java(&self.example.path),
            uid = in_java(&self.example.uid),
        )
    }

    fn php(&self) -> String {
        let secret = match self.secret {
            Some(secret) => in_php(secret),
            None => "getenv('LAUNCH_SECRET')".to_owned(),
        };
        format!(
            r#"<?php
$gateway = {gateway};
$path = {path};
$uid = {uid};
$secret = {secret};
if ($secret === false || $secret === '') {{
    fwrite(STDERR, "LAUNCH_SECRET is not set\n");
    exit(1);
}}

$signed = $path . '&ts=' . time() . '000&uid=' . urlencode($uid);
echo $gateway . $signed . '&sig=' . hash_hmac('sha256', $signed, $secret) . "\n";
"#,
            gateway = in_php(self.gateway),
            path = in_php(&self.example.path),
            uid = in_php(&self.example.uid),
        )
    }
}

/// A literal of PHP, within single quotes.
fn in_php(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// A literal of Java in plain ASCII, whatever the encoding of the file. Control characters are written in
/// octal digits: `\u000a` would be a line end before the literal is read.
fn in_java(text: &str) -> String {
    let mut literal = String::from("\"");
    for unit in text.encode_utf16() {
        let written = match u8::try_from(unit) {
            Ok(b @ (b'"' | b'\\')) => write!(literal, "\\{}", char::from(b)),
            Ok(b @ b' '..=b'~') => write!(literal, "{}", char::from(b)),
            Ok(b @ (0..b' ' | 0x7f)) => write!(literal, "\\{b:03o}"),
            _ => write!(literal, "\\u{unit:04x}"),
        };
        written.expect("a text can always be written to");
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_breaks_out_of_its_literal() {
        let hostile = "a'b\"c\\u0022$(x)`y`\n${z}?>é😀";
        assert_eq!(in_shell(hostile), "'a'\\''b\"c\\u0022$(x)`y`\n${z}?>é😀'");
        assert_eq!(in_php(hostile), "'a\\'b\"c\\\\u0022$(x)`y`\n${z}?>é😀'");
        assert_eq!(
            in_java(hostile),
            r#""a'b\"c\\u0022$(x)`y`\012${z}?>\u00e9\ud83d\ude00""#
        );
        assert_eq!(in_php("\\"), r"'\\'");
    }
}
