// The calls of ./README.md by a client that openapi-generator made for Java.

import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.*;
import org.openapitools.client.model.*;

public class Calls {
    static void call(String name, boolean good) {
        System.out.println((good ? "ok " : "bad ") + name);
        if (!good) System.exit(1);
    }

    static ApiClient at(String variable) {
        String key = System.getenv("COUNTERSIGN_API_KEY");
        ApiClient client = new ApiClient();
        client.updateBaseUri(System.getenv(variable));
        client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + key));
        return client;
    }

    public static void main(String[] arguments) throws ApiException {
        ApiClient client = at("COUNTERSIGN_URL");
        String userId = "generated-java";

        User user = new UsersApi(client).putUser(userId, null, null, new PutUser().email("ann@example.com"));
        call("putUser", user.getId().equals(userId));

        EnrollTotp wish = new EnrollTotp().algorithm(EnrollTotp.AlgorithmEnum.SHA256);
        TotpEnrollment enrollment = new TotpApi(client).enrollTotp(userId, null, null, wish);
        call("enrollTotp", enrollment.getSecret().length() >= 32);

        try {
            new TotpApi(client).verifyTotp(userId, new VerifyTotp().code("12345"), null, null);
            call("verifyTotp", false);
        } catch (ApiException refused) {
            call("verifyTotp", refused.getCode() == 422 && refused.getResponseBody().contains("\"code\""));
        }

        CreateChallenge login = new CreateChallenge().userId(userId).purpose(CreateChallenge.PurposeEnum.LOGIN);
        ChallengeAnswer decision = new LoginApi(client).createChallenge(login, null, null);
        call("createChallenge", decision.getReason().equals("NOT_ENROLLED"));

        Policy policy = new PolicyApi(client).getPolicy(null);
        call("getPolicy", !policy.getRequirement().isEmpty());

        FactorList factors = new FactorsApi(at("COUNTERSIGN_NEWER_URL")).listFactors(userId, null, null, null);
        call("an answer of a newer service", factors.getData().get(0).getType().equals("PUSH"));
    }
}
