// Runs at CloudFront before a request of the console's site is answered: every address of the page is the
// page itself. Assets, and files beside the page, are what they are: one that is missing is told as missing.
function handler(event) {
  var request = event.request;
  var uri = request.uri;
  if (uri.indexOf('/console/') !== 0) {
    if (uri === '/' || uri === '/console') {
      return {
        statusCode: 302,
        statusDescription: 'Found',
        headers: { location: { value: '/console/' }, 'cache-control': { value: 'no-cache' } },
      };
    }
    return { statusCode: 404, statusDescription: 'Not Found' };
  }
  var rest = uri.slice('/console/'.length);
  var isFile = rest.indexOf('assets/') === 0 || (rest.indexOf('/') < 0 && rest.indexOf('.') > 0);
  if (!isFile) {
    request.uri = '/console/index.html';
  }
  return request;
}
