package peer;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import javax.sql.DataSource;

/** Asks the database for each, as the adapters in LAMS do. The driver keeps the statements prepared. */
final class JdbcFacts implements Facts {
    private static final String SESSION =
            "select c.course, c.section, c.server_id, s.ext_content_id, c.define_later, f.login is not null"
                    + " from peer.session s"
                    + " join peer.content c on c.content_id = s.content_id"
                    + " left join peer.finished f on f.session_id = s.session_id and f.login = ?"
                    + " where s.session_id = ?";
    private static final String SERVER = "select server_id, base_url, secret from peer.server where server_id = ?";
    private final DataSource pool;

    JdbcFacts(DataSource pool) {
        this.pool = pool;
    }

    @Override
    public Launch launch(long sessionId, String login) throws SQLException {
        try (Connection connection = pool.getConnection()) {
            Session session = session(connection, sessionId, login);
            Server server = session == null ? null : server(connection, session.serverId());
            return server == null ? null : new Launch(session, server);
        }
    }

    private static Session session(Connection connection, long sessionId, String login) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(SESSION)) {
            statement.setString(1, login);
            statement.setLong(2, sessionId);
            try (ResultSet row = statement.executeQuery()) {
                return row.next()
                        ? new Session(
                                row.getString(1),
                                row.getString(2),
                                row.getString(3),
                                row.getLong(4),
                                row.getBoolean(5),
                                row.getBoolean(6))
                        : null;
            }
        }
    }

    private static Server server(Connection connection, String serverId) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(SERVER)) {
            statement.setString(1, serverId);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? new Server(row.getString(1), row.getString(2), row.getString(3)) : null;
            }
        }
    }
}
