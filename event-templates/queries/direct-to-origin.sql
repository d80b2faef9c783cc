-- name: direct-to-origin
-- purpose: Signs that somebody goes around the cache or around the event's own host name
-- about: Requests straight to the origin are not in these logs: look in the origin's. What can be seen here: a host that is CloudFront's own name, methods that players do not use, and addresses that ask for what is never a hit, each time with another query.
-- parameter: least integer = 20 -- requests from which on an address counts
WITH asked AS (
    SELECT
        c_ip AS address,
        coalesce(regexp_replace(cs_uri_query, '(^|&)CMCD=[^&]*', ''), '') AS query,
        count(*) AS requests,
        count_if(lower(viewer_host) = lower(distribution_host)) AS by_cloudfronts_name,
        count_if(cs_method NOT IN ('GET', 'HEAD', 'OPTIONS')) AS odd_methods,
        count_if(NOT is_hit AND x_edge_response_result_type = 'Miss' AND object_kind = 'segment') AS missed_segments,
        count_if(object_kind = 'segment') AS segments,
        sum(sc_bytes) AS bytes
    FROM requests
    GROUP BY 1, 2
)
SELECT
    address,
    sum(requests) AS requests,
    count(*) AS queries,
    sum(by_cloudfronts_name) AS by_cloudfronts_name,
    sum(odd_methods) AS odd_methods,
    sum(missed_segments) AS missed_segments,
    round(1e2 * sum(missed_segments) / nullif(sum(segments), 0), 2) AS missed_percent,
    round(sum(bytes) / 1e9, 3) AS gigabytes
FROM asked
GROUP BY address
HAVING sum(requests) >= :least
    AND (sum(by_cloudfronts_name) > 0 OR sum(odd_methods) > 0
        OR (2 * count(*) > sum(requests) AND 2 * sum(missed_segments) > sum(segments)))
ORDER BY requests DESC, address
LIMIT 200
