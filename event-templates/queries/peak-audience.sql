-- name: peak-audience
-- purpose: The peak of the audience and when it was, the mean, viewer hours, and how many came in all
-- about: Of manifests and segments that were served; health probes and other paths are no viewers. A viewer is a playback session (CMCD sid), or a pair of address and user agent where a request has none.
-- about: One line counts all viewers, one the sessions among them, one those without. A minute with a request counts as a minute watched, so viewer hours are a little high.
WITH seen AS (
    SELECT
        date_trunc('minute', at) AS minute,
        cmcd_session_id IS NOT NULL AS has_session,
        coalesce(cmcd_session_id, c_ip || ' ' || coalesce(cs_user_agent, '')) AS viewer
    FROM requests
    WHERE sc_status IN (200, 206, 304)
        AND object_kind IN ('manifest', 'init', 'segment')
        AND (cmcd_session_id IS NOT NULL OR c_ip IS NOT NULL)
    GROUP BY 1, 2, 3
),
counted AS (
    SELECT 'viewers' AS counted, minute, has_session, viewer FROM seen
    UNION ALL
    SELECT CASE WHEN has_session THEN 'sessions' ELSE 'without session' END AS counted, minute, has_session, viewer FROM seen
),
counts AS (
    SELECT counted, minute, has_session, viewer, grouping(viewer) AS of_minute, count(*) AS viewers
    FROM counted
    GROUP BY GROUPING SETS ((counted, minute), (counted, has_session, viewer))
),
ranked AS (
    SELECT
        counted,
        of_minute,
        minute,
        viewers,
        row_number() OVER (PARTITION BY counted, of_minute ORDER BY viewers DESC, minute) AS place
    FROM counts
)
SELECT
    counted,
    max(CASE WHEN of_minute = 1 THEN viewers END) AS peak,
    max(CASE WHEN of_minute = 1 AND place = 1 THEN minute END) AS peak_minute,
    round(avg(CASE WHEN of_minute = 1 THEN viewers END), 1) AS mean,
    round(sum(CASE WHEN of_minute = 1 THEN viewers ELSE 0 END) / 6e1, 2) AS viewer_hours,
    count_if(of_minute = 0) AS in_all,
    count_if(of_minute = 1) AS minutes
FROM ranked
GROUP BY counted
ORDER BY counted = 'viewers' DESC, counted
