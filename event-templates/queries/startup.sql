-- name: startup
-- purpose: How long it took to start, by country: first request to first video segment, and what players say (CMCD)
-- about: Times are of when answers finished, to the second where the logs have no milliseconds. msd (media start delay) comes of CMCD version 2. `su` marks requests in a hurry: startup, seeking, recovery.
-- parameter: least integer = 5 -- sessions from which on a country counts
-- needs: cmcd
WITH sessions AS (
    SELECT
        cmcd_session_id AS sid,
        min(c_country) AS country,
        min(at) AS first_seen,
        min(CASE WHEN object_kind = 'segment' AND coalesce(cmcd_object_type, 'v') IN ('v', 'av')
            AND sc_status IN (200, 206, 304) AND NOT is_abandoned THEN at END) AS first_segment,
        count(*) AS requests,
        count_if(cmcd_startup) AS hurried,
        max(cmcd_media_start_delay) AS start_delay
    FROM requests
    WHERE cmcd_session_id IS NOT NULL AND coalesce(sc_status, 0) NOT IN (401, 403, 451)
    GROUP BY cmcd_session_id
)
SELECT
    country,
    count(*) AS sessions,
    count(first_segment) AS started,
    round(1e2 * (count(*) - count(first_segment)) / count(*), 2) AS not_started_percent,
    round(approx_percentile(date_diff('millisecond', first_seen, first_segment) / 1e3, 0.5), 2) AS start_p50_seconds,
    round(approx_percentile(date_diff('millisecond', first_seen, first_segment) / 1e3, 0.95), 2) AS start_p95_seconds,
    approx_percentile(start_delay, 0.5) AS start_delay_p50_ms,
    approx_percentile(start_delay, 0.95) AS start_delay_p95_ms,
    round(1e2 * sum(hurried) / sum(requests), 3) AS hurried_percent
FROM sessions
GROUP BY country
HAVING count(*) >= :least
ORDER BY sessions DESC, country
