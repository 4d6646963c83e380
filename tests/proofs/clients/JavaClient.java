import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

/** Both of Java's own HTTP clients, without a word of proxies or certificates: java JavaClient.java */
public class JavaClient {
    public static void main(String[] arguments) throws Exception {
        HttpURLConnection page = (HttpURLConnection) URI.create("https://sso.tandemdiabetes.com/").toURL().openConnection();
        URI discovery = URI.create("https://tdcservices.tandemdiabetes.com/accounts/api/.well-known/openid-configuration");
        var answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(discovery).build(), BodyHandlers.ofString());
        boolean names = answer.body().contains("jwks_uri");
        System.out.println("{\"page\": " + page.getResponseCode() + ", \"status\": " + answer.statusCode() + ", \"jwks\": " + names + "}");
    }
}
