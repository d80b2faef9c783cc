-- name: peak-audience
-- purpose: The peak of the audience and when it was, the mean, viewer hours, and how many came in all
-- about: Of requests that were served; one line by sessions (CMCD sid), one by addresses. A minute with a request counts as a minute watched, so viewer hours are a little high.
-- needs: cmcd
WITH seen AS (
    SELECT
        date_trunc('minute', at) AS minute,
        cmcd_session_id AS sid,
        c_ip AS address,
        grouping(c_ip) AS of_sessions
    FROM requests
    WHERE sc_status IN (200, 206, 304)
    GROUP BY GROUPING SETS ((date_trunc('minute', at), cmcd_session_id), (date_trunc('minute', at), c_ip))
),
viewers AS (
    SELECT of_sessions, minute, coalesce(sid, address) AS viewer
    FROM seen
    WHERE coalesce(sid, address) IS NOT NULL
),
counts AS (
    SELECT of_sessions, minute, viewer, grouping(viewer) AS of_minute, count(*) AS viewers
    FROM viewers
    GROUP BY GROUPING SETS ((of_sessions, minute), (of_sessions, viewer))
),
ranked AS (
    SELECT
        of_sessions,
        of_minute,
        minute,
        viewers,
        row_number() OVER (PARTITION BY of_sessions, of_minute ORDER BY viewers DESC, minute) AS place
    FROM counts
)
SELECT
    CASE WHEN of_sessions = 1 THEN 'sessions' ELSE 'addresses' END AS counted,
    max(CASE WHEN of_minute = 1 THEN viewers END) AS peak,
    max(CASE WHEN of_minute = 1 AND place = 1 THEN minute END) AS peak_minute,
    round(avg(CASE WHEN of_minute = 1 THEN viewers END), 1) AS mean,
    round(sum(CASE WHEN of_minute = 1 THEN viewers ELSE 0 END) / 6e1, 2) AS viewer_hours,
    count_if(of_minute = 0) AS in_all,
    count_if(of_minute = 1) AS minutes
FROM ranked
GROUP BY of_sessions
ORDER BY counted DESC
