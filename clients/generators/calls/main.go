// The calls of ./README.md by a client that openapi-generator made for Go.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	client "countersign.example/generated"
)

func call(name string, good bool, err error) {
	if err != nil || !good {
		fmt.Printf("bad %s: %v\n", name, err)
		os.Exit(1)
	}
	fmt.Printf("ok %s\n", name)
}

func at(address string) *client.APIClient {
	configuration := client.NewConfiguration()
	configuration.Servers = client.ServerConfigurations{{URL: address}}
	return client.NewAPIClient(configuration)
}

func main() {
	key := os.Getenv("COUNTERSIGN_API_KEY")
	ctx := context.WithValue(context.Background(), client.ContextAccessToken, key)
	api, userID := at(os.Getenv("COUNTERSIGN_URL")), "generated-go"

	who := client.NewPutUser()
	who.SetEmail("ann@example.com")
	user, _, err := api.UsersAPI.PutUser(ctx, userID).PutUser(*who).Execute()
	call("putUser", err == nil && user.GetId() == userID, err)

	wish := client.NewEnrollTotp()
	wish.SetAlgorithm("SHA256")
	enrollment, _, err := api.TOTPAPI.EnrollTotp(ctx, userID).EnrollTotp(*wish).Execute()
	call("enrollTotp", err == nil && len(enrollment.GetSecret()) >= 32, err)

	_, answer, err := api.TOTPAPI.VerifyTotp(ctx, userID).VerifyTotp(*client.NewVerifyTotp("12345")).Execute()
	refused := err != nil && answer != nil && answer.StatusCode == http.StatusUnprocessableEntity
	if refused {
		var failure *client.GenericOpenAPIError
		failure, refused = err.(*client.GenericOpenAPIError)
		problem, typed := failure.Model().(client.Problem)
		refused = refused && typed && problem.GetCode() != ""
		err = nil
	}
	call("verifyTotp", refused, err)

	login := client.NewCreateChallenge(userID)
	login.SetPurpose("LOGIN")
	decision, _, err := api.LoginAPI.CreateChallenge(ctx).CreateChallenge(*login).Execute()
	call("createChallenge", err == nil && decision.GetReason() == "NOT_ENROLLED", err)

	policy, _, err := api.PolicyAPI.GetPolicy(ctx).Execute()
	call("getPolicy", err == nil && policy.GetRequirement() != "", err)

	factors, _, err := at(os.Getenv("COUNTERSIGN_NEWER_URL")).FactorsAPI.ListFactors(ctx, userID).Execute()
	call("an answer of a newer service", err == nil && factors.GetData()[0].GetType() == "PUSH", err)
}
