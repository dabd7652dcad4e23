// Reading the API; it can only be read.

/** The JSON at a path under api/v1; throws an Error in the API's own words. */
export async function read(path, parameters = {}) {
  const query = new URLSearchParams(
    Object.entries(parameters).filter(([, value]) => value !== "" && value !== null),
  );
  let answer;
  try {
    answer = await fetch(`api/v1/${path}${query.size ? `?${query}` : ""}`);
  } catch {
    throw new Error("the operator does not answer; this page goes on trying");
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.detail ?? `the operator answers ${answer.status}`);
  return told;
}

/** The path of a resource. */
export function path(plural, namespace, name) {
  return [plural, namespace, name].map(encodeURIComponent).join("/");
}
