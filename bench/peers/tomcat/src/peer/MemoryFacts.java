package peer;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;

/** Everything read once, at the start; changes are never seen. */
final class MemoryFacts implements Facts {
    private final Map<Long, Session> sessions = new ConcurrentHashMap<>();
    private final Map<String, Server> servers = new ConcurrentHashMap<>();
    private final Set<Finished> finished = ConcurrentHashMap.newKeySet();

    private record Finished(long sessionId, String login) {}

    private MemoryFacts() {}

    static MemoryFacts load(DataSource pool) throws SQLException {
        MemoryFacts facts = new MemoryFacts();
        try (Connection connection = pool.getConnection();
                Statement statement = connection.createStatement()) {
            try (ResultSet row = statement.executeQuery("select server_id, base_url, secret from peer.server")) {
                while (row.next()) {
                    Server server = new Server(row.getString(1), row.getString(2), row.getString(3));
                    facts.servers.put(server.serverId(), server);
                }
            }
            try (ResultSet row = statement.executeQuery("select session_id, login from peer.finished")) {
                while (row.next()) {
                    facts.finished.add(new Finished(row.getLong(1), row.getString(2)));
                }
            }
            try (ResultSet row = statement.executeQuery(
                    "select s.session_id, c.course, c.section, c.server_id, s.ext_content_id, c.define_later"
                            + " from peer.session s join peer.content c on c.content_id = s.content_id")) {
                while (row.next()) {
                    facts.sessions.put(
                            row.getLong(1),
                            new Session(
                                    row.getString(2),
                                    row.getString(3),
                                    row.getString(4),
                                    row.getLong(5),
                                    row.getBoolean(6),
                                    false));
                }
            }
        }
        return facts;
    }

    @Override
    public Launch launch(long sessionId, String login) {
        Session session = sessions.get(sessionId);
        Server server = session == null ? null : servers.get(session.serverId());
        if (server == null) {
            return null;
        }
        return new Launch(session.finished(finished.contains(new Finished(sessionId, login))), server);
    }
}
