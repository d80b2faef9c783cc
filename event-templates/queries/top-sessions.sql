-- name: top-sessions
-- purpose: Which playback sessions took the most bytes, from how many addresses and for how long
-- about: A session is a CMCD sid. Minutes are those with a request in them, of its busiest address.
-- parameter: most integer = 50 -- how many to show
-- needs: cmcd
WITH seen AS (
    SELECT
        cmcd_session_id AS sid,
        c_ip AS address,
        date_trunc('minute', at) AS minute,
        min(c_country) AS country,
        count(*) AS requests,
        sum(sc_bytes) AS bytes
    FROM requests
    WHERE cmcd_session_id IS NOT NULL
    GROUP BY cmcd_session_id, c_ip, date_trunc('minute', at)
),
by_address AS (
    SELECT
        sid,
        address,
        min(country) AS country,
        count(*) AS minutes,
        sum(requests) AS requests,
        sum(bytes) AS bytes,
        min(minute) AS first_minute,
        max(minute) AS last_minute
    FROM seen
    GROUP BY sid, address
),
ranked AS (
    SELECT
        sid,
        count(*) AS addresses,
        count(DISTINCT country) AS countries,
        max(minutes) AS minutes,
        sum(requests) AS requests,
        sum(bytes) AS bytes,
        min(first_minute) AS first_minute,
        max(last_minute) AS last_minute,
        row_number() OVER (ORDER BY sum(bytes) DESC, sid) AS place
    FROM by_address
    GROUP BY sid
)
SELECT
    place,
    sid,
    round(bytes / 1e9, 3) AS gigabytes,
    requests,
    addresses,
    countries,
    minutes,
    first_minute,
    last_minute
FROM ranked
WHERE place <= :most
ORDER BY place
