-- name: viewer-journey
-- purpose: One viewer's evening, request by request: what was asked for, what came, how the player fared
-- about: Give the session's id: -p sid=… (top-sessions and shared-sessions name some). Rows are in the order in which answers finished.
-- parameter: sid text = '' -- the playback session, CMCD's sid
-- needs: cmcd
SELECT
    at,
    c_ip AS address,
    c_country AS country,
    asn AS network,
    x_edge_location AS edge,
    object_kind AS object,
    cs_uri_stem AS path,
    sc_status AS status,
    x_edge_result_type AS result,
    is_abandoned AS abandoned,
    sc_bytes AS bytes,
    round(1e3 * time_to_first_byte, 0) AS first_byte_ms,
    round(1e3 * time_taken, 0) AS taken_ms,
    cmcd_encoded_bitrate AS kilobits,
    cmcd_buffer_length AS buffer_ms,
    cmcd_buffer_starvation AS starved,
    cmcd_measured_throughput AS throughput_kilobits
FROM requests
WHERE cmcd_session_id = :sid
ORDER BY at, path, x_edge_request_id
LIMIT 20000
