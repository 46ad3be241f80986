import jakarta.servlet.DispatcherType;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.EnumSet;
import java.util.Map;
import java.util.Properties;
import org.apache.hadoop.conf.Configuration;
import org.apache.iceberg.jdbc.JdbcCatalog;
import org.apache.iceberg.rest.RESTCatalogAdapter;
import org.apache.iceberg.rest.RESTCatalogServlet;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.servlet.FilterHolder;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;

/**
 * A REST catalog: the servlet that Iceberg tests its own clients with, on loopback, over a catalog in memory; with
 * passwords that count, which that servlet hasn't got. Its only argument is a file of properties: port, warehouse,
 * client, secret, token.
 */
public class IcebergServer {
  public static void main(String[] arguments) throws Exception {
    Properties told = new Properties();
    try (FileInputStream file = new FileInputStream(arguments[0])) {
      told.load(file);
    }
    JdbcCatalog catalog = new JdbcCatalog();
    catalog.setConf(new Configuration(false));
    catalog.initialize("served", Map.of(
        "uri", "jdbc:h2:mem:served;DB_CLOSE_DELAY=-1;DATABASE_TO_UPPER=false",
        "jdbc.schema-version", "V1",
        "warehouse", told.getProperty("warehouse")));
    String token = told.getProperty("token");
    ServletContextHandler handler = new ServletContextHandler();
    handler.addFilter(new FilterHolder(new Guard("Bearer " + token)), "/*", EnumSet.of(DispatcherType.REQUEST));
    handler.addServlet(new ServletHolder(new Tokens(told.getProperty("client"), told.getProperty("secret"), token)),
        "/v1/oauth/tokens");
    handler.addServlet(new ServletHolder(new RESTCatalogServlet(new RESTCatalogAdapter(catalog))), "/*");
    Server server = new Server(new InetSocketAddress("127.0.0.1", Integer.parseInt(told.getProperty("port"))));
    server.setHandler(handler);
    server.start();
    server.join();
  }

  private static void answer(HttpServletResponse response, int status, String json) throws IOException {
    response.setStatus(status);
    response.setContentType("application/json");
    response.getWriter().write(json);
  }

  /** Lets those in who have the token. */
  private static class Guard extends HttpFilter {
    private final String wanted;

    Guard(String wanted) {
      this.wanted = wanted;
    }

    @Override
    protected void doFilter(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
        throws IOException, ServletException {
      if (request.getRequestURI().endsWith("/oauth/tokens") || wanted.equals(request.getHeader("Authorization"))) {
        chain.doFilter(request, response);
      } else {
        answer(response, 401,
            "{\"error\":{\"message\":\"no such token\",\"type\":\"NotAuthorizedException\",\"code\":401}}");
      }
    }
  }

  /** Gives the token to the client that knows the secret (RFC 6749, 4.4). */
  private static class Tokens extends HttpServlet {
    private final String client;
    private final String secret;
    private final String token;

    Tokens(String client, String secret, String token) {
      this.client = client;
      this.secret = secret;
      this.token = token;
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
      boolean known = client.equals(request.getParameter("client_id"))
          && secret.equals(request.getParameter("client_secret"));
      if (known) {
        answer(response, 200, "{\"access_token\":\"" + token + "\",\"token_type\":\"bearer\","
            + "\"issued_token_type\":\"urn:ietf:params:oauth:token-type:access_token\",\"expires_in\":3600}");
      } else {
        answer(response, 401, "{\"error\":\"invalid_client\",\"error_description\":\"no such client\"}");
      }
    }
  }
}
