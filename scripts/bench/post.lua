-- posts one JSON-RPC call; the method is the script's argument
function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.body = '{"jsonrpc":"2.0","method":"' .. args[1] .. '","params":[{"foo":"bar"}],"id":1}'
end
