/** What went wrong, in words: a problem document (RFC 9457), no connection, or an answer that is neither. */

export type Failure = "offline" | "signed-out" | "forbidden" | "not-found" | "stale" | "invalid" | "busy" | "failed";

export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** What the page can do about it. */
    readonly failure: Failure,
    /** What happened, in one sentence. */
    message: string,
    /** What to do about it, or more of what the API says. */
    readonly remedy = "",
    readonly status = 0,
    /** What is wrong with what was sent, a sentence each, where there are several. */
    readonly faults: readonly string[] = [],
  ) {
    super(message);
  }
}

const WORDS: Record<Failure, [string, string]> = {
  offline: ["There is no connection to the API.", "It is tried again when the connection is back."],
  "signed-out": ["You are signed out.", "Sign in again to go on."],
  forbidden: ["Your role does not allow this.", "Ask who runs Watchkeeper for another role."],
  "not-found": ["This is not here.", "It may have been removed, or the address has a slip."],
  stale: ["Somebody changed this a moment ago.", "What is shown is new now: look, and try again."],
  invalid: ["The API does not take this.", ""],
  busy: ["The API is asked too much just now.", "Try again in a moment."],
  failed: ["The API failed.", "Try again; if it stays, its log in CloudWatch says why."],
};

const BY_STATUS: Record<number, Failure> = {
  400: "invalid",
  401: "signed-out",
  403: "forbidden",
  404: "not-found",
  409: "stale",
  410: "not-found",
  412: "stale",
  422: "invalid",
  429: "busy",
  503: "busy",
};

interface Problem {
  title?: unknown;
  detail?: unknown;
  errors?: unknown;
}

export function offline(): ApiError {
  return new ApiError("offline", ...WORDS.offline);
}

export function signedOut(): ApiError {
  return new ApiError("signed-out", ...WORDS["signed-out"], 401);
}

/** Read an answer that is not a success. */
export async function problemOf(answer: Response): Promise<ApiError> {
  const failure = BY_STATUS[answer.status] ?? (answer.status < 500 ? "invalid" : "failed");
  const [message, remedy] = WORDS[failure];
  const found = await documentOf(answer);
  const faults = fields(found?.errors);
  const told = [text(found?.detail), ...faults].filter(Boolean).join(" ");
  if (failure === "forbidden" || failure === "stale" || failure === "signed-out") {
    return new ApiError(failure, message, told || remedy, answer.status);
  }
  return new ApiError(failure, sentence(text(found?.title)) || message, told || remedy, answer.status, faults);
}

/** Any error as one that can be shown; what is no failure of the API is a fault of the page, and says so. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new ApiError("failed", "This page made a mistake.", words);
}

async function documentOf(answer: Response): Promise<Problem | null> {
  if (!answer.headers.get("content-type")?.includes("json")) return null;
  try {
    return (await answer.json()) as Problem;
  } catch {
    return null;
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function sentence(words: string): string {
  if (!words) return "";
  const first = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

function fields(errors: unknown): string[] {
  if (!Array.isArray(errors)) return [];
  return errors.map((each: Record<string, unknown>) => {
    const where = text(each["field"]) || text(each["pointer"]) || text(each["loc"]);
    return sentence([where, text(each["detail"]) || text(each["message"])].filter(Boolean).join(": "));
  });
}
