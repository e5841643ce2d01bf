// A key and a self-signed certificate for localhost and 127.0.0.1, for tests only: everybody can read the key.
// Made with: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=localhost
// -addext subjectAltName=DNS:localhost,IP:127.0.0.1

export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHB+bs590OqraSglY
5D6uEA0iAMJt46phS+XBieWh8YuhRANCAAQL+P0jFjkJ9iQxl03kcGqbSKuGZXXC
rK/2fvWI6tP6uU22wDLpnvpOGGunPdaS2iaCmV5l6LyNUYf0vKMWsWKB
-----END PRIVATE KEY-----
`

export const cert = `-----BEGIN CERTIFICATE-----
MIIBmDCCAT+gAwIBAgIUS7e3kJ3zdc2MhlOj4jNLP/pJiGEwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MB4XDTI2MTEyMjIxNDg0N1oXDTM2MTExOTIx
NDg0N1owFDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEC/j9IxY5CfYkMZdN5HBqm0irhmV1wqyv9n71iOrT+rlNtsAy6Z76Thhr
pz3WktomgpleZei8jVGH9LyjFrFigaNvMG0wHQYDVR0OBBYEFP0kLbyQCJAPxPxK
EZJuk7qgwDP5MB8GA1UdIwQYMBaAFP0kLbyQCJAPxPxKEZJuk7qgwDP5MA8GA1Ud
EwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMAoGCCqGSM49
BAMCA0cAMEQCIA9bCviRNiPMB/+hOIOsZddEQochoX4uYvAcJs/WW7T7AiBVBLY3
llC6Jj9OhId2kvH8CEZkFKe2G9iGWhDBQxqZHQ==
-----END CERTIFICATE-----
`
