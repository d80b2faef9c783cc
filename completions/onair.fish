complete --keep-order --exclusive --command onair --arguments "(COMPLETE=fish onair -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
