-- name: shared-tokens
-- purpose: Tokens used from many addresses: the digests that the edge function logs, by addresses and networks
-- about: The function logs a keyed digest for each claim that can be revoked, in the runbook's order, never the claim itself. Of an account (:claim 1, often sub) many addresses are a shared login; of one token or session, a re-stream.
-- parameter: addresses integer = 3 -- from how many addresses on
-- parameter: claim integer = 1 -- which of the runbook's revocation keys, counted from 1
-- needs: token
WITH seen AS (
    SELECT
        split_part(viewer_request_log_data, '.', 4 + :claim) AS digest,
        c_ip AS address,
        min(asn) AS network,
        min(c_country) AS country,
        count(*) AS requests,
        count_if(sc_status IN (200, 206, 304)) AS served,
        count_if(sc_status IN (401, 403, 451)) AS refused,
        sum(sc_bytes) AS bytes
    FROM requests
    WHERE viewer_request_log_data LIKE '1.%'
    GROUP BY 1, 2
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
WHERE digest IS NOT NULL AND digest <> ''
GROUP BY digest
HAVING count(*) >= :addresses
ORDER BY addresses DESC, requests DESC, digest
LIMIT 200
