-- name: rows-by-minute
-- purpose: Rows of the logs by minute and distribution, to be held against CloudWatch's count of requests
SELECT
    date_trunc('minute', at) AS minute,
    distribution_id,
    count(*) AS requests,
    sum(sc_bytes) AS bytes
FROM requests
GROUP BY date_trunc('minute', at), distribution_id
ORDER BY minute, distribution_id
