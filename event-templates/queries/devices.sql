-- name: devices
-- purpose: What people watched on: devices by their user agent, with errors and starvation for each
-- about: User agents say what they like. Sessions are an estimate (about 2 %); starvation is of the requests that carry CMCD.
WITH known AS (
    SELECT
        CASE
            WHEN cs_user_agent IS NULL THEN 'no user agent'
            WHEN regexp_like(cs_user_agent, 'AppleTV|Apple TV|tvOS') THEN 'Apple TV'
            WHEN regexp_like(cs_user_agent, 'iPhone|iPad|iPod|AppleCoreMedia') THEN 'iPhone or iPad'
            WHEN regexp_like(cs_user_agent, 'Tizen|SMART-TV|SmartTV') THEN 'Samsung TV'
            WHEN regexp_like(cs_user_agent, 'Web0S|webOS|NetCast') THEN 'LG TV'
            WHEN regexp_like(cs_user_agent, 'AFT[A-Z0-9]|Fire TV') THEN 'Fire TV'
            WHEN regexp_like(cs_user_agent, 'CrKey') THEN 'Chromecast'
            WHEN regexp_like(cs_user_agent, 'Roku') THEN 'Roku'
            WHEN regexp_like(cs_user_agent, 'PlayStation|Xbox|Nintendo') THEN 'game console'
            WHEN regexp_like(cs_user_agent, 'Android TV|BRAVIA|GoogleTV|HbbTV') THEN 'Android or other TV'
            WHEN regexp_like(cs_user_agent, 'Android|ExoPlayer') THEN 'Android'
            WHEN regexp_like(cs_user_agent, 'Windows') THEN 'Windows'
            WHEN regexp_like(cs_user_agent, 'Macintosh|Mac OS X') THEN 'Mac'
            WHEN regexp_like(cs_user_agent, 'CrOS|X11|Linux') THEN 'Linux or Chromebook'
            WHEN regexp_like(lower(cs_user_agent), 'curl|wget|python|ffmpeg|lavf|vlc|go-http|okhttp|bot') THEN 'tool or bot'
            ELSE 'other'
        END AS device,
        cmcd_session_id,
        cmcd_buffer_starvation,
        sc_status,
        sc_bytes,
        is_abandoned
    FROM requests
)
SELECT
    device,
    count(*) AS requests,
    round(1e2 * count(*) / sum(count(*)) OVER (), 2) AS requests_percent,
    approx_distinct(cmcd_session_id) AS sessions,
    round(sum(sc_bytes) / 1e9, 3) AS gigabytes,
    count_if(sc_status IN (401, 403, 451)) AS refused,
    count_if(sc_status >= 500) AS errors_5xx,
    count_if(is_abandoned) AS abandoned,
    round(1e2 * count_if(cmcd_buffer_starvation) / nullif(count(cmcd_session_id), 0), 3) AS starved_percent
FROM known
GROUP BY device
ORDER BY requests DESC, device
