import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Starts, pauses, resumes and stops a timer in all three dialects, with Java's own client as it comes: it offers
 * HTTP/2 (`Upgrade: h2c`) on each request. Ends with status 1 at the first answer that is not the one it should be.
 *
 *   java Press.java URL TOKEN OWNER
 */
public class Press {
    private static final String TIMER = "/people/api/timetracker/timer";
    private static final String JSON = "application/json";
    private static final String FORM = "application/x-www-form-urlencoded";

    private final HttpClient client = HttpClient.newHttpClient();
    private final String url;
    private final String token;
    private final String owner;

    private Press(String url, String token, String owner) {
        this.url = url;
        this.token = token;
        this.owner = owner;
    }

    public static void main(String[] args) throws Exception {
        Press press = new Press(args[0], args[1], args[2]);
        press.dialectA();
        press.dialectB();
        press.dialectC();
    }

    /** A has start and stop alone. */
    private void dialectA() throws Exception {
        String began = Instant.now().minus(30, ChronoUnit.MINUTES).toString();
        String body = "{\"owner\":\"" + owner + "\",\"start_time\":\"" + began + "\"}";
        String id = found("\"id\":\"([0-9]{39})\"", send("A start", 201, "POST", "/v2/timer/start", JSON, body));
        holds("\"total_minuets\":\"30.0\"", send("A stop", 201, "PUT", "/v2/timer/" + id, JSON, "{}"));
        System.out.println("A: started, stopped");
    }

    /** B has no final stop; its "stop" is a pause. */
    private void dialectB() throws Exception {
        String today = LocalDate.now(ZoneOffset.UTC).toString();
        String start = form("timer", "start", "user", owner, "jobId", "J-1", "workDate", today, "billingStatus", "billable");
        String id = found("\"timeLogId\":\"([0-9]{18,19})\"", send("B start", 200, "POST", TIMER, FORM, start));
        String pause = send("B pause", 200, "POST", TIMER, FORM, form("timeLogId", id, "timer", "stop"));
        holds("Timer Paused successfully", pause);
        String resume = send("B resume", 200, "POST", TIMER + "?" + form("timeLogId", id, "timer", "start"), FORM, "");
        holds("Timer resumed successfully", resume);
        holds("\"state\":\"STOPPED\"", send("stop of B's", 200, "POST", "/v1/timers/" + id + "/stop", JSON, "{}"));
        System.out.println("B: started, paused, resumed");
    }

    /** C says when: worked for an hour, rested for one, worked for a half, and all of it told afterwards. */
    private void dialectC() throws Exception {
        Instant began = Instant.now().minus(4, ChronoUnit.HOURS);
        String start = "{\"owner\":\"" + owner + "\"," + at(began).substring(1);
        String id = found("\"id\":\"([0-9]{39})\"", send("C start", 201, "POST", "/v1/timers", JSON, start));
        String timer = "/v1/timers/" + id;
        holds("\"state\":\"PAUSED\"", send("C pause", 200, "POST", timer + "/pause", JSON, at(began.plusSeconds(3600))));
        holds("\"state\":\"RUNNING\"", send("C resume", 200, "POST", timer + "/resume", JSON, at(began.plusSeconds(7200))));
        String stop = send("C stop", 200, "POST", timer + "/stop", JSON, at(began.plusSeconds(9000)));
        holds("\"state\":\"STOPPED\"", stop);
        holds("\"total_minutes\":\"90.0\"", stop);
        System.out.println("C: started, paused, resumed, stopped");
    }

    private String send(String what, int status, String method, String path, String type, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path))
                .timeout(Duration.ofSeconds(20))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", type)
                .method(method, BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
        if (answer.statusCode() != status) {
            throw new AssertionError(what + ": " + answer.statusCode() + " " + answer.body());
        }
        return answer.body();
    }

    private static String at(Instant moment) {
        return "{\"at\":\"" + moment + "\"}";
    }

    private static String form(String... said) {
        StringBuilder form = new StringBuilder();
        for (int i = 0; i < said.length; i += 2) {
            form.append(i == 0 ? "" : "&").append(said[i]).append('=');
            form.append(URLEncoder.encode(said[i + 1], StandardCharsets.UTF_8));
        }
        return form.toString();
    }

    private static String found(String pattern, String body) {
        Matcher matcher = Pattern.compile(pattern).matcher(body);
        if (!matcher.find()) {
            throw new AssertionError(pattern + " is not in " + body);
        }
        return matcher.group(1);
    }

    private static void holds(String words, String body) {
        if (!body.contains(words)) {
            throw new AssertionError(words + " is not in " + body);
        }
    }
}
