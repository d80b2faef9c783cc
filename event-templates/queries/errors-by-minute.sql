-- name: errors-by-minute
-- purpose: Errors minute by minute, with refusals and viewers who hung up apart
-- about: Refused is 401, 403 and 451: rights, tokens and blocks at work. Origin errors are 5xx whose cause begins with Origin. Abandoned is no error.
SELECT
    date_trunc('minute', at) AS minute,
    count(*) AS requests,
    count_if(x_edge_detailed_result_type = 'ClientGeoBlocked') AS geo_blocked,
    count_if(sc_status IN (401, 403, 451) AND coalesce(x_edge_detailed_result_type, '') <> 'ClientGeoBlocked') AS refused,
    count_if(sc_status = 404) AS not_found,
    count_if(sc_status BETWEEN 400 AND 499 AND sc_status NOT IN (401, 403, 404, 451)) AS other_4xx,
    count_if(sc_status >= 500 AND strpos(coalesce(x_edge_detailed_result_type, ''), 'Origin') > 0) AS origin_5xx,
    count_if(sc_status >= 500 AND strpos(coalesce(x_edge_detailed_result_type, ''), 'Origin') = 0) AS other_5xx,
    count_if(is_abandoned) AS abandoned,
    round(1e2 * count_if(sc_status BETWEEN 400 AND 499 AND sc_status NOT IN (401, 403, 451)) / count(*), 3) AS percent_4xx,
    round(1e2 * count_if(sc_status >= 500) / count(*), 3) AS percent_5xx
FROM requests
GROUP BY date_trunc('minute', at)
ORDER BY minute
