-- name: countries
-- purpose: Who watched from where, what was refused there, and how much it was: rights at a glance
-- parameters: from timestamp = doors, until timestamp = end
-- Statuses: 403 by the geo restriction or the web ACL, 401 and 403 by the function, 451 for rights.
WITH requests AS (
    SELECT
        try(from_iso8601_timestamp("date" || 'T' || "time" || 'Z')) AS at,
        c_country AS country,
        c_ip,
        sc_status,
        x_edge_detailed_result_type AS cause,
        try_cast(sc_bytes AS bigint) AS bytes
    FROM {{access}}
    WHERE {{hours}}
)
SELECT
    country,
    count(*) AS requests,
    count_if(sc_status IN ('200', '206', '304')) AS served,
    count_if(cause = 'ClientGeoBlocked') AS geo_blocked,
    count_if(sc_status = '403' AND cause <> 'ClientGeoBlocked') AS other_403,
    count_if(sc_status = '401') AS unauthorized,
    count_if(sc_status = '451') AS no_rights,
    approx_distinct(c_ip) AS addresses,
    round(sum(bytes) / 1e12, 3) AS terabytes
FROM requests
WHERE at >= {{from}} AND at < {{until}}
GROUP BY country
ORDER BY requests DESC
