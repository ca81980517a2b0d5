package peer;

import java.sql.SQLException;

/** Where a servlet learns what it must know of a launch. */
interface Facts {
    /** The session with its server, and whether this login has finished it; null where either is unknown. */
    Launch launch(long sessionId, String login) throws SQLException;

    /** What a launch needs. */
    record Launch(Session session, Server server) {}

    /** A session, with what its content says. */
    record Session(
            String course, String section, String serverId, long extContentId, boolean defineLater, boolean finished) {
        /** The same session, finished or not. */
        Session finished(boolean so) {
            return so == finished ? this : new Session(course, section, serverId, extContentId, defineLater, so);
        }
    }

    /** An external server. */
    record Server(String serverId, String baseUrl, String secret) {}
}
