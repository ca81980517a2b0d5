package peer;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.sql.SQLException;

/** A learner's launch: checked, looked up, and redirected with a signature. It stores nothing. */
final class LearningServlet extends HttpServlet {
    private static final long serialVersionUID = 1;
    private final transient LaunchSignature signature;
    private final transient Facts facts;

    LearningServlet(LaunchSignature signature, Facts facts) {
        this.signature = signature;
        this.facts = facts;
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        if (!signature.verify(request.getRequestURI(), request.getQueryString(), request.getParameter("ts"))) {
            response.sendError(HttpServletResponse.SC_UNAUTHORIZED);
            return;
        }
        String user = request.getParameter("user");
        String login = request.getParameter("uid");
        if (!"learner".equals(request.getParameter("mode")) || user == null || login == null) {
            response.sendError(HttpServletResponse.SC_BAD_REQUEST);
            return;
        }
        try {
            long sessionId = Long.parseLong(request.getParameter("toolSessionID"));
            Facts.Launch launch = facts.launch(sessionId, login);
            if (launch == null) {
                response.sendError(HttpServletResponse.SC_NOT_FOUND);
            } else if (launch.session().defineLater()) {
                response.setContentType("text/plain");
                response.getWriter().print("This activity is not ready yet.");
            } else {
                response.setStatus(HttpServletResponse.SC_FOUND);
                response.setHeader("Location", Redirect.to(launch, sessionId, user));
            }
        } catch (NumberFormatException e) {
            response.sendError(HttpServletResponse.SC_BAD_REQUEST);
        } catch (SQLException e) {
            response.sendError(HttpServletResponse.SC_SERVICE_UNAVAILABLE);
        }
    }
}
