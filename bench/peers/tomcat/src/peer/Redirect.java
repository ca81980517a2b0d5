package peer;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/** The address that a learner is sent to: the server's quiz, signed as LAMS's protocol has it. */
final class Redirect {
    private static final String RETURN =
            "https://lams.example.org/lams/tool/mdquiz10/learning.do?toolSessionID=%d&dispatch=finishActivity";

    private Redirect() {}

    static String to(Facts.Launch launch, long sessionId, String user) {
        Facts.Session session = launch.session();
        Facts.Server server = launch.server();
        String ts = Long.toString(System.currentTimeMillis());
        return new StringBuilder(512)
                .append(server.baseUrl())
                .append("mod/quiz/view.php?extToolContentId=")
                .append(session.extContentId())
                .append("&course=")
                .append(encoded(session.course()))
                .append("&section=")
                .append(encoded(session.section()))
                .append("&isFinished=")
                .append(session.finished())
                .append("&un=")
                .append(encoded(user))
                .append("&ts=")
                .append(ts)
                .append("&hs=")
                .append(hash(ts, user, server))
                .append("&returnUrl=")
                .append(encoded(RETURN.replace("%d", Long.toString(sessionId))))
                .toString();
    }

    /** SHA-1 of time, user, server id and secret, each cut and lower-cased. */
    private static String hash(String ts, String user, Facts.Server server) {
        String plain = part(ts) + part(user) + part(server.serverId()) + part(server.secret());
        try {
            byte[] hash = MessageDigest.getInstance("SHA-1").digest(plain.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-1", e);
        }
    }

    private static String part(String text) {
        return text.trim().toLowerCase(Locale.ROOT);
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
