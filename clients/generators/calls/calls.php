<?php
// The calls of ./README.md by a client that openapi-generator made for PHP. Takes the folder with it.

use OpenAPI\Client\Api;
use OpenAPI\Client\ApiException;
use OpenAPI\Client\Configuration;
use OpenAPI\Client\Model;

// Debian's packages have their own ways to be loaded; the generated classes have Composer's.
require_once 'GuzzleHttp/autoload.php';
spl_autoload_register(function ($class) use ($argv) {
    $file = $argv[1] . '/lib/' . str_replace('\\', '/', substr($class, strlen('OpenAPI\\Client\\'))) . '.php';
    if (str_starts_with($class, 'OpenAPI\\Client\\') && is_file($file)) {
        require_once $file;
    }
});

function call(string $name, bool $good): void
{
    echo ($good ? 'ok ' : 'bad ') . $name . "\n";
    if (!$good) {
        exit(1);
    }
}

function at(string $variable): Configuration
{
    return (new Configuration())->setHost(getenv($variable))->setAccessToken(getenv('COUNTERSIGN_API_KEY'));
}

$http = new GuzzleHttp\Client();
$node = at('COUNTERSIGN_URL');
$userId = 'generated-php';

$user = (new Api\UsersApi($http, $node))->putUser($userId, null, null, new Model\PutUser(['email' => 'ann@example.com']));
call('putUser', $user->getId() === $userId);

$wish = new Model\EnrollTotp(['algorithm' => Model\EnrollTotp::ALGORITHM_SHA256]);
$enrollment = (new Api\TOTPApi($http, $node))->enrollTotp($userId, null, null, $wish);
call('enrollTotp', strlen($enrollment->getSecret()) >= 32);

try {
    (new Api\TOTPApi($http, $node))->verifyTotp($userId, new Model\VerifyTotp(['code' => '12345']));
    call('verifyTotp', false);
} catch (ApiException $refused) {
    $problem = $refused->getResponseObject();
    call('verifyTotp', $refused->getCode() === 422 && $problem instanceof Model\Problem && $problem->getCode() !== '');
}

$login = new Model\CreateChallenge(['user_id' => $userId, 'purpose' => Model\CreateChallenge::PURPOSE_LOGIN]);
$decision = (new Api\LoginApi($http, $node))->createChallenge($login);
call('createChallenge', $decision->getReason() === 'NOT_ENROLLED');

$policy = (new Api\PolicyApi($http, $node))->getPolicy();
call('getPolicy', $policy->getRequirement() !== '');

$factors = (new Api\FactorsApi($http, at('COUNTERSIGN_NEWER_URL')))->listFactors($userId);
call('an answer of a newer service', $factors->getData()[0]->getType() === 'PUSH');
