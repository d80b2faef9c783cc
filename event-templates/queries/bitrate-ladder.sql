-- name: bitrate-ladder
-- purpose: Which rungs of the ladder were watched, how long, and what players measured on them
-- about: Video and muxed segments that were served, by the bitrate that the player says (CMCD br). Hours are of media asked for, not of clocks on walls. Sessions are an estimate (about 2 %).
-- needs: cmcd
SELECT
    cmcd_encoded_bitrate AS kilobits,
    count(*) AS segments,
    round(sum(cmcd_object_duration) / 3.6e6, 2) AS hours,
    round(1e2 * count(*) / sum(count(*)) OVER (), 2) AS segments_percent,
    approx_distinct(cmcd_session_id) AS sessions,
    round(sum(sc_bytes) / 1e9, 3) AS gigabytes,
    round(1e2 * count_if(cmcd_buffer_starvation) / count(*), 3) AS starved_percent,
    approx_percentile(cmcd_measured_throughput, 0.5) AS throughput_p50_kilobits,
    approx_percentile(cmcd_buffer_length, 0.5) AS buffer_p50_ms
FROM requests
WHERE cmcd_object_type IN ('v', 'av') AND cmcd_encoded_bitrate IS NOT NULL
    AND sc_status IN (200, 206)
GROUP BY cmcd_encoded_bitrate
ORDER BY kilobits
