<?php
// Checks requests that Toolgate signs with signature 2, for PHP 7.1 or later. What it checks and why, and how to call
// it, is in docs/signature2.md.

/**
 * The parameters of the request at hand, decoded, once it is known that Toolgate made it for this server, just now, and
 * that it did not come before. Use these alone, never $_GET, $_POST or $_REQUEST. Throws where the request is to be
 * refused with 401; the message is for your log.
 *
 * $once($nonce, $until) has to answer true when it is given a nonce for the first time and false ever after, until the
 * Unix time $until at least, also when two ask at once: toolgate_once_in() below, or a table with a unique column.
 */
function toolgate_verified(string $server, string $key, callable $once): array
{
    $method = $_SERVER['REQUEST_METHOD'];
    $file = $_FILES['upload_file']['tmp_name'] ?? '';
    $form = count($_FILES) === 1 && is_string($file) && is_uploaded_file($file);
    if ($_POST || $form !== ($method === 'POST')) {
        throw new RuntimeException('its body is not a form of one file');
    }
    $body = $form ? hash_file('sha256', $file) : hash('sha256', file_get_contents('php://input'));
    [$path, $query] = explode('?', $_SERVER['REQUEST_URI'], 2) + [1 => ''];
    $stamp = '/(?:^|&)ts=([0-9]{1,15})&nonce=([0-9a-f]{32})&sv=2&sig=([0-9a-f]{64})$/D';
    if (!preg_match($stamp, $query, $found)) {
        throw new RuntimeException('it does not end in a signature 2');
    }
    [, $ts, $nonce, $sig] = $found;
    $parameters = $pairs = [];
    foreach (array_filter(explode('&', substr($query, 0, -strlen("&sig=$sig"))), 'strlen') as $pair) {
        [$name, $value] = array_map('urldecode', explode('=', $pair, 2)) + [1 => ''];
        $parameters[$name] = $value;
        $pairs[] = rawurlencode($name) . '=' . rawurlencode($value);
    }
    $path = implode('/', array_map('rawurlencode', array_map('rawurldecode', explode('/', $path))));
    $text = implode("\n", ['toolgate-signature-2', $method, $server, $path, implode('&', $pairs), $body]);
    if (!hash_equals(hash_hmac('sha256', $text, $key), $sig)) {
        throw new RuntimeException('the signature is wrong');
    }
    if (abs(microtime(true) - $ts / 1000) > 300) {
        throw new RuntimeException('it was signed more than five minutes ago, or a clock is wrong');
    }
    if (!$once($nonce, intdiv((int) $ts, 1000) + 301)) {
        throw new RuntimeException('it came before');
    }
    return $parameters;
}

/** Keeps nonces as empty files in a folder that the web server may write to and no browser can reach. */
function toolgate_once_in(string $folder): callable
{
    return function (string $nonce, int $until) use ($folder): bool {
        if (mt_rand(1, 100) === 1) {
            foreach (glob("$folder/*") as $old) {
                // None is good for longer than ten minutes.
                filemtime($old) < time() - 660 && @unlink($old);
            }
        }
        $new = @fopen("$folder/$nonce", 'x'); // 'x': only where it is not there yet
        return $new !== false && fclose($new);
    };
}
