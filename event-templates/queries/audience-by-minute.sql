-- name: audience-by-minute
-- purpose: How many watched, minute by minute: playback sessions (CMCD sid), and pairs of address and user agent for requests without one
-- about: Of manifests and segments that were served; health probes and other paths are no viewers. `viewers` is `sessions` and `without_session` together.
-- about: Homes and offices share an address, phones change theirs. A player that sends CMCD with some of its requests only counts in both.
WITH seen AS (
    SELECT
        date_trunc('minute', at) AS minute,
        cmcd_session_id AS sid,
        CASE WHEN cmcd_session_id IS NULL THEN c_ip END AS address,
        CASE WHEN cmcd_session_id IS NULL THEN cs_user_agent END AS agent,
        count(*) AS requests
    FROM requests
    WHERE sc_status IN (200, 206, 304) AND object_kind IN ('manifest', 'init', 'segment')
    GROUP BY 1, 2, 3, 4
)
SELECT
    minute,
    count_if(sid IS NOT NULL OR address IS NOT NULL) AS viewers,
    count_if(sid IS NOT NULL) AS sessions,
    count_if(address IS NOT NULL) AS without_session,
    sum(requests) AS requests
FROM seen
GROUP BY minute
ORDER BY minute
