-- name: top-addresses
-- purpose: Which addresses took the most bytes, with their sessions, country and network
-- about: A company, a school or a mobile network behind one address has many sessions; a re-streamer has few sessions and runs all evening. `refused` are 401, 403 and 451.
-- parameter: most integer = 50 -- how many to show
WITH seen AS (
    SELECT
        c_ip AS address,
        cmcd_session_id AS sid,
        min(c_country) AS country,
        min(asn) AS network,
        count(*) AS requests,
        count_if(sc_status IN (401, 403, 451)) AS refused,
        sum(sc_bytes) AS bytes,
        min(at) AS first_seen,
        max(at) AS last_seen
    FROM requests
    GROUP BY c_ip, cmcd_session_id
),
ranked AS (
    SELECT
        address,
        min(country) AS country,
        min(network) AS network,
        sum(requests) AS requests,
        sum(refused) AS refused,
        count(sid) AS sessions,
        sum(bytes) AS bytes,
        min(first_seen) AS first_seen,
        max(last_seen) AS last_seen,
        row_number() OVER (ORDER BY sum(bytes) DESC, address) AS place
    FROM seen
    GROUP BY address
)
SELECT
    place,
    address,
    country,
    network,
    round(bytes / 1e9, 3) AS gigabytes,
    requests,
    refused,
    sessions,
    first_seen,
    last_seen
FROM ranked
WHERE place <= :most
ORDER BY place
