package peer;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The gateway's launch signature: HMAC-SHA-256 of path and query as sent, up to but without {@code &sig=}, in
 * lower-case hexadecimal digits. Only the time it is good for differs: ten minutes, in place of five.
 */
final class LaunchSignature {
    private static final long TOLERANCE_MILLIS = 10 * 60 * 1000;
    private final ThreadLocal<Mac> mac;

    LaunchSignature(String key) {
        SecretKeySpec spec = new SecretKeySpec(key.getBytes(StandardCharsets.UTF_8), "HmacSHA256");
        mac = ThreadLocal.withInitial(() -> keyed(spec));
    }

    /** Whether the launch is signed with this key and its {@code ts} is of now. */
    boolean verify(String path, String query, String ts) {
        int end = query == null ? -1 : query.lastIndexOf("&sig=");
        if (end < 0 || ts == null) {
            return false;
        }
        byte[] claimed;
        long at;
        try {
            String sig = query.substring(end + "&sig=".length());
            if (!sig.equals(sig.toLowerCase(java.util.Locale.ROOT))) {
                return false;
            }
            claimed = HexFormat.of().parseHex(sig);
            at = Long.parseLong(ts);
        } catch (IllegalArgumentException malformed) {
            return false;
        }
        String signed = path + '?' + query.substring(0, end);
        byte[] right = mac.get().doFinal(signed.getBytes(StandardCharsets.UTF_8));
        return MessageDigest.isEqual(right, claimed)
                && Math.abs(System.currentTimeMillis() - at) <= TOLERANCE_MILLIS;
    }

    private static Mac keyed(SecretKeySpec key) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has HMAC-SHA-256", e);
        }
    }
}
