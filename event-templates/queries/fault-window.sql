-- name: fault-window
-- purpose: Who is at fault in this window: CDN, origin, network, player or ads, with the numbers behind it
-- about: One rule for each, over what it is answerable for; the highest percentage is the one to look at first, not a verdict. Use --since and --until for the bad minutes, and once more for good ones.
-- about: cdn: 5xx whose cause is not the origin, of all requests. origin: 5xx whose cause is the origin, or a first byte of the origin after a second, of the requests that missed.
-- about: network: segments from the cache that took longer than they last, or whose viewer hung up, of segments from the cache. player: starved although the last measured throughput was twice the bitrate, of video requests with CMCD.
-- about: ads: manifests with ads that failed with 5xx or had their first byte after two seconds, of manifests with ads.
-- parameter: ads text = '/ads/' -- what the paths of manifests with ads have in them
WITH signs AS (
    SELECT
        count(*) AS cdn_of,
        count_if(sc_status >= 500 AND strpos(coalesce(x_edge_detailed_result_type, ''), 'Origin') = 0) AS cdn,
        count_if(NOT is_hit AND x_edge_response_result_type IN ('Miss', 'Error') AND (sc_status < 400 OR sc_status >= 500)) AS origin_of,
        count_if(NOT is_hit AND x_edge_response_result_type IN ('Miss', 'Error')
            AND ((sc_status >= 500 AND strpos(coalesce(x_edge_detailed_result_type, ''), 'Origin') > 0)
                OR (sc_status < 400 AND origin_fbl > 1e0))) AS origin,
        count_if(is_hit AND object_kind = 'segment') AS network_of,
        count_if(is_hit AND object_kind = 'segment'
            AND (is_abandoned OR time_taken * 1e3 > cmcd_object_duration)) AS network,
        count_if(cmcd_object_type IN ('v', 'av')) AS player_of,
        count_if(cmcd_object_type IN ('v', 'av') AND cmcd_buffer_starvation
            AND cmcd_measured_throughput >= 2 * cmcd_encoded_bitrate) AS player,
        count_if(object_kind = 'manifest' AND strpos(cs_uri_stem, :ads) > 0) AS ads_of,
        count_if(object_kind = 'manifest' AND strpos(cs_uri_stem, :ads) > 0
            AND (sc_status >= 500 OR time_to_first_byte > 2e0)) AS ads
    FROM requests
),
judged AS (
    SELECT
        suspect,
        CASE suspect WHEN 'cdn' THEN cdn WHEN 'origin' THEN origin WHEN 'network' THEN network WHEN 'player' THEN player ELSE ads END AS signs,
        CASE suspect WHEN 'cdn' THEN cdn_of WHEN 'origin' THEN origin_of WHEN 'network' THEN network_of WHEN 'player' THEN player_of ELSE ads_of END AS looked_at
    FROM signs
    CROSS JOIN (VALUES ('cdn'), ('origin'), ('network'), ('player'), ('ads')) AS suspects (suspect)
)
SELECT
    suspect,
    signs,
    looked_at,
    round(1e2 * signs / nullif(looked_at, 0), 3) AS signs_percent
FROM judged
ORDER BY signs_percent DESC, suspect
