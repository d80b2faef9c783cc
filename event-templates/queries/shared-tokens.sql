-- name: shared-tokens
-- purpose: Tokens used from many addresses: what the edge function logs of each token, by addresses and networks
-- about: The function logs keyed digests of the claims, never the token. One account on many addresses is a shared login or a re-stream; who it is, `onair token` finds by the digest.
-- parameter: addresses integer = 3 -- from how many addresses on
-- needs: token
WITH seen AS (
    SELECT
        viewer_request_log_data AS digest,
        c_ip AS address,
        min(asn) AS network,
        min(c_country) AS country,
        count(*) AS requests,
        count_if(sc_status IN (200, 206, 304)) AS served,
        count_if(sc_status IN (401, 403, 451)) AS refused,
        sum(sc_bytes) AS bytes
    FROM requests
    WHERE viewer_request_log_data IS NOT NULL
    GROUP BY viewer_request_log_data, c_ip
)
SELECT
    digest,
    count(*) AS addresses,
    count(DISTINCT network) AS networks,
    count(DISTINCT country) AS countries,
    sum(requests) AS requests,
    sum(served) AS served,
    sum(refused) AS refused,
    round(sum(bytes) / 1e9, 3) AS gigabytes
FROM seen
GROUP BY digest
HAVING count(*) >= :addresses
ORDER BY addresses DESC, requests DESC, digest
LIMIT 200
