package peer;

import java.io.File;
import java.nio.file.Files;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.apache.tomcat.jdbc.pool.DataSource;
import org.apache.tomcat.jdbc.pool.PoolProperties;

/** An embedded Tomcat with two servlets that answer the same launch: one asks the database, one does not. */
public final class Main {
    private Main() {}

    /** Serves until it is stopped; the argument is the port. */
    public static void main(String[] args) throws Exception {
        Logger.getLogger("").setLevel(Level.WARNING);
        LaunchSignature signature = new LaunchSignature(System.getenv("LAUNCH_KEY"));
        DataSource pool = pool();
        Tomcat tomcat = new Tomcat();
        File base = Files.createTempDirectory("peer-tomcat").toFile();
        base.deleteOnExit();
        tomcat.setBaseDir(base.getPath());
        tomcat.setConnector(connector(Integer.parseInt(args[0])));
        Context context = tomcat.addContext("", base.getPath());
        serve(context, "/jdbc/learning", new LearningServlet(signature, new JdbcFacts(pool)));
        serve(context, "/memory/learning", new LearningServlet(signature, MemoryFacts.load(pool)));
        serve(context, "/ready", new ReadyServlet());
        tomcat.start();
        tomcat.getServer().await();
    }

    private static void serve(Context context, String path, jakarta.servlet.Servlet servlet) {
        Tomcat.addServlet(context, path, servlet).addMapping(path);
    }

    private static Connector connector(int port) {
        Connector connector = new Connector("org.apache.coyote.http11.Http11NioProtocol");
        connector.setPort(port);
        AbstractHttp11Protocol<?> protocol = (AbstractHttp11Protocol<?>) connector.getProtocolHandler();
        protocol.setAddress(java.net.InetAddress.getLoopbackAddress());
        // Tomcat would close a connection after its hundredth request.
        protocol.setMaxKeepAliveRequests(-1);
        protocol.setKeepAliveTimeout(-1);
        return connector;
    }

    private static DataSource pool() {
        PoolProperties pool = new PoolProperties();
        pool.setDriverClassName("org.postgresql.Driver");
        pool.setUrl(System.getenv("PEER_JDBC_URL"));
        pool.setUsername(System.getenv("PEER_DB_USER"));
        pool.setPassword(System.getenv("PEER_DB_PASSWORD"));
        pool.setInitialSize(16);
        pool.setMinIdle(16);
        pool.setMaxIdle(16);
        pool.setMaxActive(16);
        pool.setJmxEnabled(false);
        return new DataSource(pool);
    }
}
