-- Sends the requests of a file, one after the other, each thread from another place on. REQUESTS names the file:
-- each line is one request as it goes over the socket, with \r and \n written so.

local requests = {}
local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init()
    for line in io.lines(os.getenv("REQUESTS")) do
        requests[#requests + 1] = line:gsub("\\r", "\r"):gsub("\\n", "\n")
    end
    at = math.floor(#requests / 2 * number)
end

function request()
    at = at % #requests + 1
    return requests[at]
end
